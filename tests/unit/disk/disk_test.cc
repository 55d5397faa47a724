#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "sidecar/disk/data_dir.h"
#include "sidecar/disk/disk_executor.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::disk {

namespace fs = std::filesystem;

namespace {

struct TempDir {
  TempDir() {
    std::string name = (fs::temp_directory_path() / "ringside-disk-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDir() { fs::remove_all(path); }
  std::string path;
};

std::shared_ptr<const Bytes> shared(std::string_view text) {
  const auto bytes = as_bytes(text);
  return std::make_shared<const Bytes>(bytes.begin(), bytes.end());
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("OperationsDoWhatThePortSays") {
  const TempDir dir;
  FileSet files(dir.path);
  CHECK(files.run(coord::CreateFile{"a"}));
  CHECK(files.run(coord::WriteAt{"a", 0, shared("hello")}));
  CHECK(files.run(coord::WriteAt{"a", 5, shared(" world")}));
  CHECK(files.run(coord::SyncFile{"a"}));
  CHECK(files.run(coord::RenameFile{"a", "b"}));
  CHECK(files.run(coord::SyncDirectory{}));
  CHECK(contents(dir.path + "/b") == "hello world");
  CHECK(files.run(coord::CreateFile{"b"}));
  CHECK(contents(dir.path + "/b").empty());
  CHECK(files.run(coord::RemoveFile{"b"}));
  CHECK(files.run(coord::RemoveFile{"b"}));
  CHECK_FALSE(fs::exists(dir.path + "/b"));
}

TEST_CASE("ASyncOfAFileThatWasRemovedUnderUsFails") {
  const TempDir dir;
  FileSet files(dir.path);
  REQUIRE(files.run(coord::CreateFile{"log"}));
  REQUIRE(files.run(coord::SyncFile{"log"}));
  fs::remove(dir.path + "/log");
  const Status synced = files.run(coord::SyncFile{"log"});
  REQUIRE_FALSE(synced);
  CHECK(synced.error().message.find("removed") != std::string::npos);
}

TEST_CASE("AFailedOperationSaysWhatWasTried") {
  const TempDir dir;
  FileSet files(dir.path);
  const auto missing = files.run(coord::WriteAt{"nothing", 0, shared("x")});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("nothing") != std::string::npos);
  CHECK_FALSE(files.run(coord::CreateFile{"../escape"}));
  CHECK_FALSE(files.run(coord::RenameFile{"a", "b/c"}));
}

TEST_CASE("BatchesCompleteInOrderAndNothingFollowsAFailure") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  std::vector<std::pair<std::uint64_t, bool>> done;
  {
    DiskExecutor executor(&loop, dir.path, [&](coord::DiskBatchId id, const Status& status) {
      done.emplace_back(id.value, status.has_value());
    });
    executor.submit(
        {coord::DiskBatchId{1}, {coord::CreateFile{"x"}, coord::WriteAt{"x", 0, shared("1")}}});
    executor.submit(
        {coord::DiskBatchId{2}, {coord::WriteAt{"x", 1, shared("2")}, coord::SyncFile{"x"}}});
    executor.submit(
        {coord::DiskBatchId{3}, {coord::WriteAt{"gone", 0, shared("3")}, coord::CreateFile{"y"}}});
    executor.submit({coord::DiskBatchId{4}, {coord::CreateFile{"z"}}});
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(executor.idle());
  }
  uv_loop_close(&loop);
  const std::vector<std::pair<std::uint64_t, bool>> expected{{1, true}, {2, true}, {3, false}};
  CHECK(done == expected);
  CHECK(contents(dir.path + "/x") == "12");
  CHECK_FALSE(fs::exists(dir.path + "/y"));
  CHECK_FALSE(fs::exists(dir.path + "/z"));
}

namespace {

// Runs `batches` to their end; what was answered, in order.
std::vector<std::pair<std::uint64_t, bool>> answers_to(const std::string& path,
                                                       std::vector<coord::DiskBatch> batches) {
  std::vector<std::pair<std::uint64_t, bool>> done;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  {
    DiskExecutor executor(&loop, path, [&](coord::DiskBatchId id, const Status& status) {
      done.emplace_back(id.value, status.has_value());
    });
    for (coord::DiskBatch& batch : batches) {
      executor.submit(std::move(batch));
    }
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  uv_loop_close(&loop);
  return done;
}

}  // namespace

TEST_CASE("WhoReadsBesideTheLogSeesWhetherItWasWrittenMeanwhile") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  {
    DiskExecutor executor(&loop, dir.path, [](coord::DiskBatchId, const Status&) {});
    const auto before = executor.log_at_rest();
    REQUIRE(before.has_value());
    executor.submit({coord::DiskBatchId{1}, {coord::CreateFile{"s"}}, coord::DiskLane::kSide});
    CHECK(executor.log_at_rest() == before);  // what is there counts for nothing
    executor.submit({coord::DiskBatchId{2}, {coord::CreateFile{"x"}}});
    CHECK_FALSE(executor.log_at_rest());
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(executor.log_at_rest().has_value());
    CHECK(executor.log_at_rest() != before);
  }
  uv_loop_close(&loop);
}

TEST_CASE("AFailureInTheSideLaneFailsAlone") {
  const TempDir dir;
  const auto done = answers_to(
      dir.path, {{coord::DiskBatchId{1}, {coord::SyncFile{"gone"}}, coord::DiskLane::kSide},
                 {coord::DiskBatchId{2}, {coord::CreateFile{"s"}}, coord::DiskLane::kSide},
                 {coord::DiskBatchId{3}, {coord::CreateFile{"l"}}}});
  CHECK(done.size() == 3);
  CHECK(std::ranges::count(done, std::pair<std::uint64_t, bool>{1, false}) == 1);
  CHECK(fs::exists(dir.path + "/s"));
  CHECK(fs::exists(dir.path + "/l"));
}

// The log's next sync of the directory would pass for done: the kernel tells of an error once.
TEST_CASE("D9AFailedSyncOfTheDirectoryEndsBothLanesWhereverItIs") {
  const TempDir dir;
  const std::string gone = dir.path + "/gone";
  fs::create_directory(gone);
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  std::vector<std::pair<std::uint64_t, bool>> done;
  {
    DiskExecutor executor(&loop, gone, [&](coord::DiskBatchId id, const Status& status) {
      done.emplace_back(id.value, status.has_value());
    });
    fs::remove(gone);
    executor.submit({coord::DiskBatchId{1}, {coord::SyncDirectory{}}, coord::DiskLane::kSide});
    uv_run(&loop, UV_RUN_DEFAULT);
    fs::create_directory(gone);
    executor.submit({coord::DiskBatchId{2}, {coord::CreateFile{"l"}}});
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  uv_loop_close(&loop);
  CHECK(done == std::vector<std::pair<std::uint64_t, bool>>{{1, false}});
  CHECK_FALSE(fs::exists(gone + "/l"));
}

TEST_CASE("D9AFailureInTheLogsLaneEndsBoth") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  std::vector<std::uint64_t> done;
  {
    DiskExecutor executor(&loop, dir.path, [&](coord::DiskBatchId id, const Status& status) {
      done.push_back(id.value);
      if (!status) {  // two more that would do no harm
        executor.submit({coord::DiskBatchId{2}, {coord::CreateFile{"l"}}});
        executor.submit({coord::DiskBatchId{3}, {coord::CreateFile{"s"}}, coord::DiskLane::kSide});
      }
    });
    executor.submit({coord::DiskBatchId{1}, {coord::SyncFile{"gone"}}});
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  uv_loop_close(&loop);
  CHECK(done == std::vector<std::uint64_t>{1});
  CHECK_FALSE(fs::exists(dir.path + "/l"));
  CHECK_FALSE(fs::exists(dir.path + "/s"));
}

TEST_CASE("WhatTheSideLaneMadeTheLogsLaneMayRenameAndWrite") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  {
    DiskExecutor executor(&loop, dir.path, [&](coord::DiskBatchId id, const Status& status) {
      CHECK(status.has_value());
      if (id.value == 1) {
        executor.submit({coord::DiskBatchId{2},
                         {coord::RenameFile{"spare", "log"}, coord::WriteAt{"log", 0, shared("x")},
                          coord::SyncFile{"log"}, coord::SyncDirectory{}}});
      }
    });
    executor.submit({coord::DiskBatchId{1},
                     {coord::CreateFile{"spare"}, coord::AllocateFile{"spare", 1U << 20U}},
                     coord::DiskLane::kSide});
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  uv_loop_close(&loop);
  CHECK(contents(dir.path + "/log") == "x");
  CHECK_FALSE(fs::exists(dir.path + "/spare"));
}

TEST_CASE("BlocksTakenAheadLeaveTheSizeAndAreGivenBack") {
  const TempDir dir;
  FileSet files(dir.path);
  const auto blocks = [&] {
    struct stat info{};
    REQUIRE(::stat((dir.path + "/a").c_str(), &info) == 0);
    return info.st_blocks;
  };
  REQUIRE(files.run(coord::CreateFile{"a"}));
  REQUIRE(files.run(coord::WriteAt{"a", 0, shared("hello")}));
  REQUIRE(files.run(coord::SyncFile{"a"}));
  const auto before = blocks();
  REQUIRE(files.run(coord::AllocateFile{"a", 1U << 20U}));
  CHECK(contents(dir.path + "/a") == "hello");
  const auto taken = blocks();
  REQUIRE(files.run(coord::TrimFile{"a"}));
  CHECK(contents(dir.path + "/a") == "hello");
  if (taken > before) {  // else the file system cannot do it, and says so by doing nothing
    CHECK(taken >= (1 << 20) / 512);
    CHECK(blocks() == before);
  }
  CHECK(files.run(coord::TrimFile{"gone"}));
}

TEST_CASE("ADiskThatIsFullIsToldFromABrokenOne") {
  const TempDir dir;
  FileSet files(dir.path);
  REQUIRE(files.run(coord::CreateFile{"a"}));
  const Status full = files.run(coord::AllocateFile{"a", 1ULL << 42U});
  REQUIRE_FALSE(full.has_value());
  // Some file systems say first that no file may be so long.
  CHECK((full.error().code == ErrorCode::kUnavailable ||
         full.error().message.find("large") != std::string::npos));
}

TEST_CASE("ADirectoryInUseIsRefusedByName") {
  const TempDir dir;
  const auto first = DataDir::open(dir.path + "/d");
  REQUIRE(first);
  const auto second = DataDir::open(dir.path + "/d");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kRefused);
  CHECK(second.error().message.find("in use") != std::string::npos);
}

TEST_CASE("TheImageLeavesOutWhatIsNotTheRings") {
  const TempDir dir;
  const auto data = DataDir::open(dir.path);
  REQUIRE(data);
  REQUIRE(replace_file(dir.path + "/view.json", as_bytes("{}")));
  REQUIRE(replace_file(dir.path + "/manifest", as_bytes("m")));
  const auto image = data->read_image();
  REQUIRE(image);
  CHECK(image->files.size() == 1);
  CHECK(image->files.contains("manifest"));
}

TEST_CASE("DataDirFollowsTheDocumentedOrder") {
  const auto env = [](std::string_view name) -> std::optional<std::string> {
    if (name == "STATE_DIRECTORY") return "/run/state:/other";
    return std::nullopt;
  };
  CHECK(choose_data_dir("/mine", "n", env) == "/mine");
  CHECK(choose_data_dir("", "n", env) == "/run/state");
  const auto home = [](std::string_view name) -> std::optional<std::string> {
    if (name == "HOME") return "/u";
    return std::nullopt;
  };
  if (!fs::exists("/var/lib/ringside")) {
    CHECK(choose_data_dir("", "n", home) == "/u/.local/state/ringside/n");
  }
}

TEST_CASE("ANameThatIsNoPlainFileNameIsRefusedByEveryOperation") {
  const TempDir dir;
  REQUIRE(DataDir::open(dir.path + "/inner"));
  std::ofstream(dir.path + "/outside") << "mine";
  FileSet files(dir.path + "/inner");
  const std::vector<coord::DiskOp> ops{
      coord::CreateFile{"../outside"}, coord::WriteAt{"../outside", 0, shared("theirs")},
      coord::SyncFile{"../outside"},   coord::RenameFile{"../outside", "x"},
      coord::RemoveFile{"../outside"}, coord::WriteAt{"", 0, shared("x")}};
  for (const auto& op : ops) {
    const Status refused = files.run(op);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::kInvalid);
  }
  CHECK(contents(dir.path + "/outside") == "mine");
}

TEST_CASE("ADirectoryThatWeMakeIsPrivate") {
  const TempDir dir;
  REQUIRE(DataDir::open(dir.path + "/a/b"));
  CHECK((fs::status(dir.path + "/a/b").permissions() & fs::perms::all) == fs::perms::owner_all);
}

TEST_CASE("OneFileThatCannotBeReadDoesNotHideTheOthers") {
  const TempDir dir;
  const auto data = DataDir::open(dir.path);
  REQUIRE(data);
  fs::create_symlink("nowhere", dir.path + "/log.00000001");
  fs::create_directory(dir.path + "/lost+found");
  for (const char* name : {"manifest", "log.00000002", "a", "z"}) {
    REQUIRE(replace_file(dir.path + "/" + name, as_bytes("m")));
  }
  const auto image = data->read_image();
  REQUIRE(image.has_value());
  CHECK(image->files.size() == 4);
  CHECK(image->unreadable == std::vector<std::string>{"log.00000001"});
}

TEST_CASE("TheExecutorMayBeDestroyedFromWithinOnIdle") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  int reported = 0;
  int idle = 0;
  auto executor = std::make_unique<DiskExecutor>(
      &loop, dir.path, [&](coord::DiskBatchId, const Status&) { ++reported; });
  executor->submit({coord::DiskBatchId{1}, {coord::CreateFile{"x"}}});
  executor->submit({coord::DiskBatchId{2}, {coord::WriteAt{"x", 0, shared("1")}}});
  const std::string owned(100, 'x');  // in the function's own memory
  executor->shut_down([&, owned] {
    executor.reset();
    idle += owned.size() == 100 ? 1 : 100;
  });
  CHECK(idle == 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(idle == 1);
  CHECK(reported == 0);
  CHECK(contents(dir.path + "/x") == "1");
  uv_loop_close(&loop);
}

TEST_CASE("AShutDownWithNothingToDoCallsBackAtOnce") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  int idle = 0;
  {
    DiskExecutor executor(&loop, dir.path, [](coord::DiskBatchId, const Status&) {});
    executor.shut_down([&] { ++idle; });
    executor.submit({coord::DiskBatchId{1}, {coord::CreateFile{"x"}}});
    CHECK(executor.idle());
  }
  CHECK(idle == 1);
  CHECK_FALSE(fs::exists(dir.path + "/x"));
  uv_loop_close(&loop);
}

}  // namespace ringside::disk
namespace ringside::disk {
TEST_CASE("ZZAFileThatTheSideLaneRemovedGivesItsBlocksBack") {
  const TempDir dir;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  {
    DiskExecutor executor(&loop, dir.path, [](coord::DiskBatchId, const Status&) {});
    for (int i = 0; i < 4; ++i) {
      const std::string name = "log.0000000" + std::to_string(i);
      executor.submit({coord::DiskBatchId{1},
                       {coord::CreateFile{"spare.1"}, coord::RenameFile{"spare.1", name},
                        coord::WriteAt{name, 0, shared("x")}, coord::SyncFile{name}}});
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 3; ++i) {
      executor.submit(
          {coord::DiskBatchId{2},
           {coord::RemoveFile{"log.0000000" + std::to_string(i)}, coord::SyncDirectory{}},
           coord::DiskLane::kSide});
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    int held = 0;
    for (const auto& fd : fs::directory_iterator("/proc/self/fd")) {
      std::error_code none;
      const std::string to = fs::read_symlink(fd.path(), none).string();
      held += to.find(dir.path) != std::string::npos && to.ends_with("(deleted)") ? 1 : 0;
    }
    CHECK(held == 0);
  }
  uv_loop_close(&loop);
}
// The limit falls to what is open, as if a flood had taken the rest. The thread runs before that:
// the sanitizers need descriptors of their own where a thread begins.
TEST_CASE("AMomentWithoutDescriptorsFailsNoOperation") {
  const TempDir dir;
  FileSet files(dir.path);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::atomic<int> step = 0;
  std::thread passes([&] {
    step = 1;
    while (step != 2) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    ::setrlimit(RLIMIT_NOFILE, &before);
  });
  while (step != 1) {
    std::this_thread::yield();
  }
  rlimit none = before;
  none.rlim_cur = 0;
  const bool limited = ::setrlimit(RLIMIT_NOFILE, &none) == 0;
  const int refused = ::dup(0);
  step = 2;
  const Status made = files.run(coord::CreateFile{"log.1"});
  passes.join();
  CHECK(limited);
  CHECK(refused == -1);
  CHECK(made.has_value());
}

}  // namespace ringside::disk
