#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "sidecar/app/view_store.h"
#include "sidecar/disk/file_ops.h"
#include "tests/unit/net/net_fixture.h"

namespace ringside::app {

namespace fs = std::filesystem;
using net::test::run_until;

namespace {

struct Fixture {
  Fixture() {
    std::string name = (fs::temp_directory_path() / "ringside-view-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    dir = name;
  }
  ~Fixture() { fs::remove_all(dir); }
  std::unique_ptr<ViewStore> open(const std::string& where) {
    return std::make_unique<ViewStore>(
        loop, where,
        [this] {
          ++made;
          return [held = view] {
            const auto bytes = as_bytes(held);
            return Bytes(bytes.begin(), bytes.end());
          };
        },
        [this](const std::string& line) { log.push_back(line); });
  }
  std::unique_ptr<ViewStore> open() { return open(dir); }
  void flush(ViewStore& store) {
    bool flushed = false;
    store.flush([&] { flushed = true; });
    run_until(loop, [&] { return flushed; });
  }
  [[nodiscard]] std::string on_disk() const {
    const auto bytes = disk::read_file(dir + "/view.json", 1000);
    return bytes ? std::string(as_text(*bytes)) : "";
  }

  std::string dir;
  net::Loop loop;
  std::string view = "one";
  int made = 0;
  std::vector<std::string> log;
};

}  // namespace

TEST_CASE("ChangesAreGatheredAndTheNewestIsWritten") {
  Fixture f;
  const auto store = f.open();
  CHECK(store->read().error().code == ErrorCode::kNotFound);
  const Instant began = f.loop.now();
  store->changed();
  store->changed();
  f.view = "two";
  store->changed();
  CHECK(f.made == 0);
  run_until(f.loop, [&] { return !f.on_disk().empty(); });
  CHECK(f.loop.now() - began >= ViewStore::kDelay - milliseconds{1});
  CHECK(f.on_disk() == "two");
  CHECK(f.made == 1);
  f.flush(*store);
  CHECK(as_text(*store->read()) == "two");
  CHECK(f.made == 1);
}

TEST_CASE("AFlushWritesWhatIsDueNow") {
  Fixture f;
  const auto store = f.open();
  f.flush(*store);
  CHECK(f.made == 0);
  store->changed();
  f.flush(*store);
  CHECK(f.on_disk() == "one");
}

TEST_CASE("AFlushDuringAWriteWaitsForWhatChangedMeanwhile") {
  Fixture f;
  const auto store = f.open();
  store->changed();
  bool first = false;
  store->flush([&] { first = true; });
  CHECK_FALSE(first);
  f.view = "two";
  store->changed();
  run_until(f.loop, [&] { return first; });
  CHECK(f.on_disk() == "two");
}

TEST_CASE("EveryFlushIsAnswered") {
  Fixture f;
  const auto store = f.open();
  store->changed();
  int flushed = 0;
  store->flush([&] { ++flushed; });
  store->flush([&] { ++flushed; });
  run_until(f.loop, [&] { return flushed == 2; });
}

TEST_CASE("AFailedWriteIsLoggedAndTheNextChangeTriesAgain") {
  Fixture f;
  const std::string later = f.dir + "/later";
  const auto store = f.open(later);
  store->changed();
  f.flush(*store);
  REQUIRE(f.log.size() == 1);
  CHECK(f.log[0].find(later) != std::string::npos);
  fs::create_directory(later);
  store->changed();
  f.flush(*store);
  CHECK(f.log.size() == 1);
  CHECK(fs::exists(later + "/view.json"));
}

TEST_CASE("WithoutADirectoryNothingIsKept") {
  Fixture f;
  const auto store = f.open("");
  CHECK(store->read().error().code == ErrorCode::kNotFound);
  store->changed();
  f.flush(*store);
  CHECK(f.made == 0);
}

TEST_CASE("AStoreMayGoWhileItsWriteIsUnderWay") {
  Fixture f;
  auto store = f.open();
  store->changed();
  store->flush([] {});
  store.reset();
  run_until(f.loop, [&] { return f.on_disk() == "one"; });
  f.loop.turn(false);
}

}  // namespace ringside::app
