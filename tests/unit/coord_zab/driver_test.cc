// Whole members in a ring: election, broadcast, restarts, requests.
#include <doctest/doctest.h>

#include "driver_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::DriverRing;

namespace {

void start_all(DriverRing& ring) {
  for (const MemberId voter : ring.voters) {
    ring.start(voter.value);
  }
  ring.pass(milliseconds(500));
}

}  // namespace

TEST_CASE("RingOfOneIsBornAtOnceAndServes") {
  DriverRing ring({1});
  ring.start(1);
  ring.settle();
  REQUIRE(ring.leader() == 1);
  CHECK(ring.driver(1).status().birth);
  const auto reply = ring.create(1, "/a");
  REQUIRE(reply);
  CHECK(reply->error == ZkError::kOk);
  CHECK(ring.driver(1).registry().get("/a"));
}

TEST_CASE("ThreeVotersElectAndAgree") {
  DriverRing ring({1, 2, 3});
  start_all(ring);
  REQUIRE(ring.leader() != 0);
  for (const std::uint64_t id : {1, 2, 3}) {
    const auto reply = ring.create(id, "/n" + std::to_string(id));
    REQUIRE(reply);
    CHECK(reply->error == ZkError::kOk);
    CHECK(ring.driver(id).registry().get("/n" + std::to_string(id)));  // read your writes
  }
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.driver(id).registry().znodes() == ring.driver(1).registry().znodes());
    CHECK(ring.driver(id).registry().digest() == ring.driver(1).registry().digest());
    CHECK(ring.driver(id).status().quorum);
  }
  CHECK(ring.errors.empty());
}

TEST_CASE("D17RingIsBornOnlyWhenEveryVoterAnswers") {
  DriverRing ring({1, 2, 3});
  ring.start(1);
  ring.start(2);
  ring.pass(seconds(5));
  CHECK(ring.leader() == 0);
  CHECK(ring.driver(1).status().waiting_for.find("3") != std::string::npos);
  ring.start(3);
  ring.pass(milliseconds(500));
  CHECK(ring.leader() != 0);
}

TEST_CASE("KilledLeaderIsReplacedWithoutLosingWhatWasAcknowledged") {
  DriverRing ring({1, 2, 3});
  start_all(ring);
  const std::uint64_t first = ring.leader();
  REQUIRE(first != 0);
  const std::uint64_t follower = first == 1 ? 2 : 1;
  REQUIRE(ring.create(follower, "/kept")->error == ZkError::kOk);
  const Instant before = ring.now;
  ring.kill(first);
  ring.settle();
  const std::uint64_t second = ring.leader();
  REQUIRE(second != 0);
  CHECK(second != first);
  CHECK(ring.now == before);  // no wait of any kind
  CHECK(ring.create(follower, "/more")->error == ZkError::kOk);
  CHECK(ring.driver(second).registry().get("/kept"));
  ring.start(first);
  ring.pass(milliseconds(500));
  CHECK(ring.driver(first).registry().get("/more"));
  CHECK(ring.leader() == second);  // who returns disturbs nobody
}

TEST_CASE("AllVotersMayRestart") {
  DriverRing ring({1, 2, 3});
  start_all(ring);
  REQUIRE(ring.create(1, "/kept")->error == ZkError::kOk);
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.kill(id);
  }
  start_all(ring);
  REQUIRE(ring.leader() != 0);
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.driver(id).registry().get("/kept"));
  }
}
