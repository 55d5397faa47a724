// What the loader takes and what it refuses.
#include "coord/registry/snapshot_loader.h"
#include "tests/unit/coord_registry/forgery.h"
#include "tests/unit/coord_registry/random_requests.h"
#include "tests/unit/coord_registry/same_state.h"

namespace ringside::coord::test {
namespace {

void plant(Ring& ring) {
  const SessionId session = ring.open_session();
  ring.open_session();
  ring.multi(
      {create("/gone"), create("/ringside"), create("/ringside/a", CreateMode::kEphemeral, "data"),
       create("/ringside/b"), create("/z", CreateMode::kEphemeral)},
      session);
  ring.write(remove("/gone"));
}

// In portions of `portion` bytes, then `nodes` at a time.
Result<Registry> load_in_slices(ByteView bytes, std::size_t portion, std::size_t nodes) {
  SnapshotLoader loader;
  for (std::size_t at = 0; at < bytes.size(); at += portion) {
    if (Status status = loader.add(bytes.subspan(at, std::min(portion, bytes.size() - at)));
        !status) {
      CHECK(loader.finish(1).error() == status.error());
      return std::unexpected(status.error());
    }
  }
  while (true) {
    const Result<bool> whole = loader.finish(nodes);
    if (!whole) {
      CHECK(loader.finish(nodes).error() == whole.error());
      return std::unexpected(whole.error());
    }
    if (*whole) {
      return loader.take();
    }
  }
}

TEST_CASE("ASnapshotLoadsHoweverItIsDivided") {
  for (const bool scope_only : {false, true}) {
    Ring ring;
    plant(ring);
    const Bytes bytes = ring.registry().snapshot(scope_only);
    const Registry whole = loaded(bytes);
    for (const std::size_t portion : {1, 2, 3, 7, 16, 64, 100, 1000}) {
      const auto built = load_in_slices(bytes, portion, portion);
      REQUIRE(built.has_value());
      require_same_state(*built, whole);
    }
  }
}

TEST_CASE("EveryChangedByteIsRefused") {
  for (const bool scope_only : {false, true}) {
    Ring ring;
    plant(ring);
    const Bytes good = ring.registry().snapshot(scope_only);
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const unsigned change : {0x01U, 0x10U, 0x7fU, 0x80U, 0xffU}) {
        Bytes bad = good;
        bad[at] = static_cast<std::uint8_t>(bad[at] ^ change);
        CAPTURE(at);
        const auto built = Registry::load(bad);
        REQUIRE_FALSE(built.has_value());
        const bool format = at == 4 || at == 5;
        REQUIRE(built.error().code == (format ? ErrorCode::kUnsupported : ErrorCode::kCorrupt));
        const auto slowly = load_in_slices(bad, 1 + at % 70, 3);
        REQUIRE_FALSE(slowly.has_value());
        REQUIRE(slowly.error().code == built.error().code);
      }
    }
  }
}

TEST_CASE("ALengthOutOfBoundsIsRefusedAtOnce") {
  const Bytes good = Forgery::tree({{.slot = 1, .name = "a"}}).bytes();
  constexpr std::size_t kDataLengthAt = 15 + 1 + 58;
  for (const std::size_t portion : {1, 10, 1000}) {
    Bytes bad = good;
    bad[kDataLengthAt] = 0xff;
    SnapshotLoader loader;
    std::size_t given = 0;
    while (given < bad.size() &&
           loader.add(ByteView(bad).subspan(given, std::min(portion, bad.size() - given)))) {
      given += portion;
    }
    CHECK(given <= kDataLengthAt + 4);
    CHECK(loader.finish(1).error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("ACutOrLongerSnapshotIsRefused") {
  Ring ring;
  plant(ring);
  Bytes bytes = ring.registry().snapshot();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto built = load_in_slices(ByteView(bytes).first(size), 50, 50);
    REQUIRE_FALSE(built.has_value());
    REQUIRE(built.error().code == ErrorCode::kCorrupt);
  }
  bytes.push_back(0);
  CHECK(load_in_slices(bytes, 50, 50).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("RandomBytesInAGoodSnapshotNeverCrash") {
  Rng rng(11);
  Ring ring;
  plant(ring);
  const Bytes good = ring.registry().snapshot();
  for (int round = 0; round < 20'000; ++round) {
    Bytes bad = good;
    for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes) {
      bad[15 + rng.below(bad.size() - 15)] = static_cast<std::uint8_t>(rng.below(256));
    }
    // The check made right again, so that the records are looked at.
    ByteWriter check;
    check.u32(crc32c(ByteView(bad).first(bad.size() - 4)));
    std::copy(check.view().begin(), check.view().end(), bad.end() - 4);
    if (const auto built = Registry::load(bad)) {
      require_same_state(*built, loaded(built->snapshot()));
    }
  }
}

TEST_CASE("RecordsMayComeInAnyOrder") {
  const std::vector<ForgedNode> nodes{{.slot = 1, .parent = 9, .name = "child"},
                                      {.slot = 9, .parent = 4, .name = "parent"},
                                      {.slot = 4, .parent = 0, .name = "top"}};
  const Registry built = loaded(Forgery::tree(nodes).bytes());
  CHECK(built.get("/top/parent/child").has_value());
  CHECK(built.znodes() == 4);
  // Numbers far apart take no memory for what is between.
  CHECK(Forgery::tree({{.slot = (1U << 28U) - 1, .name = "far"}}).loads());
}

TEST_CASE("LoadRefusesTreesThatCannotBe") {
  const auto refused = [](std::vector<ForgedNode> nodes) {
    return !Forgery::tree(std::move(nodes)).loads();
  };
  CHECK_FALSE(refused({}));
  CHECK_FALSE(refused({{.slot = 1, .name = "a"}, {.slot = 2, .name = "b"}}));
  // numbers: twice, out of bounds
  CHECK(refused({{.slot = 1, .name = "a"}, {.slot = 1, .name = "b"}}));
  CHECK(refused({{.slot = 1U << 28U, .name = "a"}}));
  CHECK(refused({{.slot = 1, .parent = ~0U, .name = "a"}}));
  // no parent, its own parent, a circle
  CHECK(refused({{.slot = 1, .parent = 2, .name = "a"}}));
  CHECK(refused({{.slot = 1, .parent = 1, .name = "a"}}));
  CHECK(refused({{.slot = 1, .parent = 2, .name = "a"}, {.slot = 2, .parent = 1, .name = "b"}}));
  // twice below one parent
  CHECK(refused({{.slot = 1, .name = "a"}, {.slot = 2, .name = "a"}}));
  // names and paths
  CHECK(refused({{.slot = 1, .name = ""}}));
  CHECK(refused({{.slot = 1, .name = "a/b"}}));
  CHECK(refused({{.slot = 1, .name = ".."}}));
  CHECK(refused({{.slot = 1, .name = std::string(kMaxPathBytes, 'x')}}));
  CHECK_FALSE(refused({{.slot = 1, .name = std::string(kMaxPathBytes - 1, 'x')}}));
  CHECK(refused({{.slot = 1, .name = std::string(600, 'x')},
                 {.slot = 2, .parent = 1, .name = std::string(600, 'x')}}));
  // a zxid after the snapshot's, children never made
  CHECK(refused({{.slot = 1, .name = "a", .czxid = 101}}));
  CHECK(refused({{.slot = 1, .name = "a", .creates = -1}}));
  CHECK(refused({{.slot = 1, .name = "a", .creates = 0}, {.slot = 2, .parent = 1, .name = "b"}}));
}

TEST_CASE("LoadRefusesARootThatCannotBe") {
  Forgery forgery;
  CHECK_FALSE(forgery.loads());  // none
  forgery.nodes = {{.slot = 0, .name = "root"}};
  CHECK_FALSE(forgery.loads());
  forgery.nodes = {{.slot = 0, .parent = 1}, {.slot = 1, .name = "a"}};
  CHECK_FALSE(forgery.loads());
  forgery.nodes = {{.slot = 0}, {.slot = 0}};
  CHECK_FALSE(forgery.loads());
  forgery.nodes = {{.slot = 0, .owner = 7, .order = 1}};
  forgery.sessions = {{7, 1}};
  CHECK_FALSE(forgery.loads());
}

TEST_CASE("LoadRefusesOwnersThatCannotBe") {
  const auto owned = [](std::vector<ForgedNode> nodes) {
    Forgery forgery = Forgery::tree(std::move(nodes));
    forgery.sessions = {{7, 1}, {8, 1}};
    return forgery;
  };
  const ForgedNode a{.slot = 1, .name = "a", .czxid = 4, .owner = 7, .order = 5};
  ForgedNode b{.slot = 2, .name = "b", .czxid = 4, .owner = 7, .order = 3};
  const Forgery good = owned({a, b});
  const Registry registry = loaded(good.bytes());
  CHECK(registry.ephemerals(SessionId{7}) == std::vector<std::string>{"/b", "/a"});
  b.czxid = 5;  // older by its order, younger by its zxid
  CHECK_FALSE(owned({a, b}).loads());
  b.czxid = 4;
  b.order = 5;  // one age
  CHECK_FALSE(owned({a, b}).loads());
  b.owner = 8;
  CHECK(owned({a, b}).loads());
  b.owner = 9;  // no such session
  CHECK_FALSE(owned({a, b}).loads());
  b.owner = 0;  // owned by nobody
  CHECK_FALSE(owned({a, b}).loads());
  CHECK_FALSE(owned({a, {.slot = 2, .parent = 1, .name = "child"}}).loads());
}

TEST_CASE("LoadRefusesSessionsThatCannotBe") {
  const auto loads = [](std::vector<std::pair<std::uint64_t, std::int64_t>> sessions) {
    Forgery forgery = Forgery::tree({});
    forgery.sessions = std::move(sessions);
    return forgery.loads();
  };
  CHECK(loads({{8, 1}, {7, 1}}));
  CHECK_FALSE(loads({{0, 1}}));
  CHECK_FALSE(loads({{7, 0}}));
  CHECK_FALSE(loads({{7, kMaxSessionTimeout.count() + 1}}));
  CHECK_FALSE(loads({{7, 1}, {7, 1}}));
  Forgery unkeyed = Forgery::tree({});
  unkeyed.secret = 0;
  CHECK(unkeyed.loads());
  unkeyed.sessions = {{7, 1}};
  CHECK_FALSE(unkeyed.loads());
}

TEST_CASE("LoadRefusesAnEndThatDoesNotFit") {
  Forgery good = Forgery::tree({{.slot = 1, .name = "a"}});
  CHECK(good.loads());
  Forgery bad = good;
  bad.more_nodes = 1;
  CHECK_FALSE(bad.loads());
  bad = good;
  bad.more_sessions = 1;
  CHECK_FALSE(bad.loads());
  bad = good;
  bad.digest_error = 1;
  CHECK_FALSE(bad.loads());
  bad = good;
  bad.scope_digest_error = 1;
  CHECK_FALSE(bad.loads());
  bad = good;
  bad.check_error = 1;
  CHECK_FALSE(bad.loads());
}

TEST_CASE("LoadRefusesAScopeThatCannotBe") {
  Forgery scope;
  scope.scoped = true;
  CHECK(scope.loads());
  scope.nodes = {{.slot = 3, .name = "ringside"}};
  CHECK(scope.loads());
  Forgery bad = scope;
  bad.nodes.push_back({});  // the root
  CHECK_FALSE(bad.loads());
  bad = scope;
  bad.nodes.push_back({.slot = 4, .name = "a"});
  CHECK_FALSE(bad.loads());
  bad = scope;
  bad.nodes.push_back({.slot = 4, .parent = 5, .name = "a"});
  CHECK_FALSE(bad.loads());
  bad = scope;
  bad.sessions = {{7, 1}};
  CHECK_FALSE(bad.loads());
  bad = scope;
  bad.secret = 5;
  CHECK_FALSE(bad.loads());
  scope.nodes.push_back({.slot = 4, .parent = 3, .name = "a", .owner = 7, .order = 1});
  CHECK(scope.loads());  // its session is not held
}

}  // namespace
}  // namespace ringside::coord::test
