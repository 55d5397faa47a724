// Snapshots in slices, and loading in slices.
#include "coord/registry/snapshot_cursor.h"
#include "coord/registry/snapshot_loader.h"
#include "tests/unit/coord_registry/random_requests.h"

namespace ringside::coord::test {
namespace {

TEST_CASE("ACursorGivesTheStateAtItsFreeze") {
  Ring ring;
  ring.write(create("/a", CreateMode::kPersistent, "before"));
  const std::uint64_t digest = ring.registry().digest();
  const auto cursor = ring.registry().begin_snapshot();
  REQUIRE(cursor != nullptr);
  CHECK(cursor->zxid() == ring.last());
  SnapshotLoader loader;
  while (!cursor->done()) {
    ring.write(set("/a", "after"));
    const Bytes slice = cursor->next(7);
    REQUIRE_FALSE(slice.empty());
    REQUIRE(loader.add(slice).has_value());
  }
  CHECK(cursor->next(7).empty());
  Result<bool> finished = false;
  while (finished.has_value() && !*finished) {
    finished = loader.finish(1);
  }
  REQUIRE(finished.has_value());
  const Registry loaded = loader.take();
  CHECK(loaded.digest() == digest);
  CHECK(loaded.get("/a")->data == "before");
}

TEST_CASE("ACursorKnowsWhenItsRegistryIsGone") {
  Registry registry;
  const auto cursor = registry.begin_snapshot();
  Registry moved = std::move(registry);
  CHECK_FALSE(cursor->broken());
  moved = Registry();
  CHECK(cursor->broken());
  CHECK_FALSE(cursor->done());
  CHECK(cursor->next(10).empty());
}

TEST_CASE("ARegistryIsTakenApartInSlices") {
  Ring ring;
  for (int i = 0; i < 10; ++i) {
    ring.write(create("/" + std::to_string(i)));
  }
  const auto cursor = ring.registry().begin_snapshot();
  Registry old = std::move(ring.registry());
  ring.registry() = Registry();
  while (!old.dismantle(3)) {
  }
  CHECK(cursor->broken());
}

TEST_CASE("CursorsAreBounded") {
  const Registry registry;
  std::vector<std::unique_ptr<SnapshotCursor>> cursors;
  for (std::size_t i = 0; i < kMaxSnapshotCursors; ++i) {
    cursors.push_back(registry.begin_snapshot());
    REQUIRE(cursors.back() != nullptr);
  }
  CHECK(registry.begin_snapshot() == nullptr);
  cursors.pop_back();
  CHECK(registry.begin_snapshot() != nullptr);
}

}  // namespace
}  // namespace ringside::coord::test
