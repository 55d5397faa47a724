// Snapshots in slices, while the registry changes on.
#include <memory>

#include "coord/registry/snapshot_cursor.h"
#include "tests/unit/coord_registry/random_requests.h"
#include "tests/unit/coord_registry/same_state.h"

namespace ringside::coord::test {
namespace {

// A cursor, what it gave so far, and what it must come to.
struct Reader {
  std::unique_ptr<SnapshotCursor> cursor;
  Registry frozen;
  Bytes given;

  static Reader begin(const Registry& registry, bool scope_only) {
    Reader reader{registry.begin_snapshot(scope_only), loaded(registry.snapshot(scope_only)), {}};
    REQUIRE(reader.cursor != nullptr);
    REQUIRE(reader.cursor->zxid() == registry.applied());
    return reader;
  }
  void read(std::size_t bytes) {
    const Bytes slice = cursor->next(bytes);
    REQUIRE(slice.size() <= bytes);
    REQUIRE((slice.size() == bytes || cursor->done()));
    given.insert(given.end(), slice.begin(), slice.end());
  }
  void check() const {
    REQUIRE_FALSE(cursor->broken());
    require_same_state(loaded(given), frozen);
  }
};

std::vector<SessionId> ids_of(const Registry& registry) {
  std::vector<SessionId> ids;
  for (const SessionInfo& session : registry.sessions()) {
    ids.push_back(session.id);
  }
  return ids;
}

// Up to `most` cursors begin at random, read in slices of random size, and the tree changes
// between.
int run_history(std::uint64_t seed, int steps, std::size_t most) {
  CAPTURE(seed);
  Rng rng(seed);
  Ring ring;
  std::vector<Reader> readers;
  int finished = 0;
  for (int step = 0; step < steps; ++step) {
    CAPTURE(step);
    for (std::uint64_t changes = rng.below(4); changes > 0; --changes) {
      ring.run(random_request(rng, ids_of(ring.registry())));
    }
    if (readers.size() < most && rng.chance(0.2)) {
      readers.push_back(Reader::begin(ring.registry(), rng.chance(0.3)));
    }
    for (Reader& reader : readers) {
      if (rng.chance(0.7)) {
        reader.read(1 + rng.below(rng.chance(0.5) ? 60 : 600));
      }
    }
    std::erase_if(readers, [&](const Reader& reader) {
      if (reader.cursor->done()) {
        reader.check();
        ++finished;
      }
      // Some are given up half way.
      return reader.cursor->done() || rng.chance(0.002);
    });
  }
  return finished;
}

TEST_CASE("D11ACursorGivesTheStateAtItsFreeze") {
  int finished = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    finished += run_history(seed, 600, 1);
  }
  CHECK(finished > 300);
}

TEST_CASE("D11ManyCursorsAtOnceGiveEachItsOwnState") {
  int finished = 0;
  for (std::uint64_t seed = 100; seed <= 110; ++seed) {
    finished += run_history(seed, 600, kMaxSnapshotCursors);
  }
  CHECK(finished > 400);
}

TEST_CASE("ANodeInTheSlotOfAnotherIsNotGivenForIt") {
  Ring ring;
  ring.multi({create("/a", CreateMode::kPersistent, "a"), create("/free"), create("/z")});
  ring.write(remove("/free"));
  Reader reader = Reader::begin(ring.registry(), false);
  ring.write(create("/born"));  // where /free was
  ring.write(remove("/a"));
  ring.write(create("/a", CreateMode::kPersistent, "again"));
  ring.write(set("/z", "changed"));
  ring.write(remove("/z"));
  while (!reader.cursor->done()) {
    reader.read(1);
  }
  reader.check();
}

TEST_CASE("SessionsAreThoseOfTheFreeze") {
  Ring ring;
  std::vector<SessionId> sessions;
  for (int i = 0; i < 20; ++i) {
    sessions.push_back(ring.open_session());
  }
  Reader reader = Reader::begin(ring.registry(), false);
  // The walk has given the root and some of the sessions when the changes come.
  reader.read(200);
  ring.close_session(sessions.front());
  ring.close_session(sessions.back());
  ring.open_session();
  Txn closing;
  closing.ops.push_back(TxnCloseSlice{sessions[18], {}});
  REQUIRE(ring.registry().apply(Zxid{Epoch{1}, 1000}, closing).has_value());
  while (!reader.cursor->done()) {
    reader.read(30);
  }
  reader.check();
  REQUIRE(ring.registry().session(sessions[18])->closing);
  REQUIRE_FALSE(reader.frozen.session(sessions[18])->closing);
}

TEST_CASE("EphemeralsKeepTheirOrderThroughChangesAndSlots") {
  Ring ring;
  const SessionId session = ring.open_session();
  ring.multi({create("/1", CreateMode::kEphemeral), create("/2", CreateMode::kEphemeral),
              create("/3", CreateMode::kEphemeral)},
             session);
  ring.write(remove("/1"));
  ring.write(create("/0", CreateMode::kEphemeral), session);  // in the slot of the oldest
  const Registry once = loaded(ring.registry().snapshot());
  CHECK(once.ephemerals(session) == std::vector<std::string>{"/2", "/3", "/0"});
  Reader reader = Reader::begin(ring.registry(), false);
  ring.write(remove("/2"));
  ring.write(create("/2", CreateMode::kEphemeral), session);
  ring.close_session(session);
  while (!reader.cursor->done()) {
    reader.read(10);
  }
  reader.check();
}

TEST_CASE("ALargeNodeIsGivenInPartsToo") {
  Ring ring;
  ring.write(create("/a", CreateMode::kPersistent, std::string(kMaxDataBytes, 'x')));
  Reader reader = Reader::begin(ring.registry(), false);
  ring.write(set("/a", "small"));
  int slices = 0;
  for (; !reader.cursor->done(); ++slices) {
    reader.read(64U << 10U);
  }
  CHECK(slices == 17);
  reader.check();
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

TEST_CASE("ACursorThatReadEverythingNeedsNoRegistry") {
  auto registry = std::make_unique<Registry>();
  const Bytes whole = registry->snapshot();
  const auto cursor = registry->begin_snapshot();
  Bytes given = cursor->next(whole.size() - 1);
  registry.reset();
  CHECK_FALSE(cursor->broken());
  CHECK_FALSE(cursor->done());
  given.push_back(cursor->next(10).at(0));
  CHECK(cursor->done());
  CHECK(given == whole);
  CHECK(cursor->next(10).empty());
}

TEST_CASE("CursorsAreBounded") {
  const Registry registry;
  std::vector<std::unique_ptr<SnapshotCursor>> cursors;
  for (std::size_t i = 0; i < kMaxSnapshotCursors; ++i) {
    cursors.push_back(registry.begin_snapshot());
    REQUIRE(cursors.back() != nullptr);
  }
  CHECK(registry.begin_snapshot() == nullptr);
  CHECK_FALSE(registry.snapshot().empty());
  cursors.pop_back();
  CHECK(registry.begin_snapshot() != nullptr);
}

TEST_CASE("ARegistryIsTakenApartInSlices") {
  Ring ring;
  const SessionId session = ring.open_session();
  for (int i = 0; i < 1000; ++i) {
    ring.write(create("/" + std::to_string(i),
                      i % 2 == 0 ? CreateMode::kEphemeral : CreateMode::kPersistent),
               session);
  }
  const auto cursor = ring.registry().begin_snapshot();
  int slices = 1;
  while (!ring.registry().dismantle(100)) {
    ++slices;
  }
  CHECK(slices > 3);
  CHECK(cursor->broken());
}

}  // namespace
}  // namespace ringside::coord::test
