// What a follower that comes late gets: the log while that is the smaller part, else a snapshot.
#include "coord/driver/kept_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "driver_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::DriverRing;

namespace {

// 3 leads; 1 misses `count` writes of 1 KiB, all to one znode.
struct LateRing : DriverRing {
  LateRing() : DriverRing({1, 2, 3}) {
    for (const std::uint64_t id : {1, 2, 3}) {
      start(id);
    }
    pass(milliseconds(500));
    REQUIRE(leader() == 3);
    REQUIRE(create(3, "/one")->error == ZkError::kOk);
  }
  void miss(int count) {
    kill(1);
    for (int i = 0; i < count; ++i) {
      SetData write;
      write.path = "/one";
      write.data = Bytes(1024, 7);
      REQUIRE(ask(3, Request{SessionId{}, Multi{{write}}})->error == ZkError::kOk);
    }
    sent.clear();
    start(1);
    pass(milliseconds(2000));
    CHECK(driver(1).registry().digest() == driver(3).registry().digest());
    CHECK(errors.empty());
  }
  bool got_snapshot() {
    return std::ranges::any_of(sent[MemberId{3}], [](const Message& message) {
      return std::holds_alternative<SnapshotChunk>(message);
    });
  }
};

}  // namespace

TEST_CASE("AFollowerThatMissedLittleGetsTheLog") {
  LateRing ring;
  ring.miss(500);
  CHECK_FALSE(ring.got_snapshot());
}

TEST_CASE("AFollowerThatMissedMoreThanTheTreeHoldsGetsASnapshot") {
  LateRing ring;
  ring.miss(1200);
  CHECK(ring.got_snapshot());
}

TEST_CASE("TheLogThatIsKeptFollowsTheTreeWithinBounds") {
  CHECK(kept_log_bytes(0, 0) == kLeastKeptLogBytes);
  CHECK(kept_log_bytes(10'000, 0) == 2'560'000);
  CHECK(kept_log_bytes(10, 5'000'000) == 5'000'000);
  CHECK(kept_log_bytes(1'000'000, 0) == kMostKeptLogBytes);
}
