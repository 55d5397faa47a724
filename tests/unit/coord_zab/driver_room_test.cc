// Members short of room on their disk, leaders that apply much before they reign or are deposed and
// do not know it, and who depends on them.
#include <doctest/doctest.h>

#include <optional>

#include "tests/unit/coord_zab/driver_ring.h"

namespace ringside::coord::test {

namespace {

constexpr std::uint64_t kFirstRequest = 900;

Request create_request(const std::string& path, std::size_t bytes) {
  Request request;
  request.what = Multi{{Create{path, Bytes(bytes, std::uint8_t{1}), CreateMode::kPersistent}}};
  return request;
}

// A ring of three with small segments and its leader, whose disk has no room from now on and who
// is asked for more than the blocks that it has taken ahead.
std::uint64_t fill_leader(DriverRing& ring) {
  ring.options.segment_bytes = 4'000;
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.start(id);
  }
  ring.pass(seconds(20));
  const std::uint64_t leader = ring.leader();
  REQUIRE(leader != 0);
  ring.member(leader).disk.no_room = true;
  for (std::uint64_t i = 0; i < 12; ++i) {
    ring.driver(leader).submit(ring.now, RequestId{kFirstRequest + i},
                               create_request("/big" + std::to_string(i), 1500));
  }
  return leader;
}

}  // namespace

TEST_CASE("ALeaderWhoseOwnLogWaitsForRoomMakesWayAfterAnElectionTimeout") {
  DriverRing ring({1, 2, 3});
  const std::uint64_t before = fill_leader(ring);
  ring.pass(seconds(20));
  const std::uint64_t after = ring.leader();
  CHECK(after != before);
  const auto reply = ring.create(after, "/after");
  REQUIRE(reply.has_value());
  CHECK(reply->error == ZkError::kOk);
}

TEST_CASE("SyncsGoOnAfterALeaderStoodAsideAndStayed") {
  int stayed = 0;
  for (std::uint64_t ahead = 0; ahead < 12; ++ahead) {
    CAPTURE(ahead);
    DriverRing ring({1, 2, 3});
    ring.options.election_timeout = milliseconds(8000);
    const std::uint64_t leader = fill_leader(ring);
    for (std::uint64_t i = 0; i < ahead; ++i) {  // its disk gets ahead of the frames
      if (const auto done = ring.member(leader).disk.complete_one()) {
        ring.driver(leader).on_disk_done(ring.now, *done, ring.member(leader).disk.status);
      }
      for (const std::uint64_t first : {1000U, 2000U}) {
        ring.driver(leader).submit(ring.now, RequestId{first + i}, Request{SessionId{}, Sync{}});
      }
    }
    ring.pass(milliseconds(300));
    ring.member(leader).disk.no_room = false;
    ring.pass(milliseconds(4000));
    if (ring.leader() != leader) {
      continue;
    }
    ++stayed;
    CHECK(ring.create(leader, "/written").has_value());
    CHECK(ring.ask(leader, Request{SessionId{}, Sync{}}).has_value());
  }
  CHECK(stayed > 0);
}

TEST_CASE("AnObserverIsTakenInAsSoonAsALeaderThatAppliesInSlicesReigns") {
  DriverRing ring({1, 2, 3});
  ring.options.deliver_entries = 1;
  const std::uint64_t observer = kMinObserverId + 7;
  for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, observer}) {
    ring.start(id);
  }
  ring.pass(seconds(3));
  REQUIRE(ring.driver(observer).leader());
  for (std::uint64_t i = 0; i < 40; ++i) {
    ring.driver(ring.leader())
        .submit(ring.now, RequestId{kFirstRequest + i},
                create_request("/entry" + std::to_string(i), 10));
  }
  ring.settle();
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.kill(id);
  }
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.start(id);
  }
  std::optional<Instant> reigns;
  std::optional<Instant> taken_in;
  for (int i = 0; i < 8000 && !taken_in; ++i) {
    ring.pass(milliseconds(1));
    const std::uint64_t leader = ring.leader();
    if (leader != 0 && ring.driver(leader).leader() && !reigns) {
      reigns = ring.now;
    }
    if (ring.driver(observer).leader()) {
      taken_in = ring.now;
    }
    for (const std::uint64_t id : {1, 2, 3}) {
      if (!ring.wires.contains({MemberId{id}, MemberId{observer}})) {
        ring.join(id, observer);
      }
    }
  }
  REQUIRE(reigns);
  REQUIRE(taken_in);
  CHECK(*taken_in - *reigns < milliseconds(200));
}

TEST_CASE("AnObserverDoesNotGoBackToALeaderThatIsDeposed") {
  DriverRing ring({1, 2, 3});
  const std::uint64_t observer = kMinObserverId + 7;
  for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, observer}) {
    ring.start(id);
  }
  ring.pass(seconds(3));
  const std::uint64_t old_leader = ring.leader();
  REQUIRE(ring.driver(observer).leader() == MemberId{old_leader});
  for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, observer}) {
    if (id != old_leader) {
      ring.cut(old_leader, id);
    }
  }
  ring.pass(milliseconds(400));
  const auto new_leader = ring.driver(observer).leader();
  REQUIRE(new_leader);
  REQUIRE(*new_leader != MemberId{old_leader});
  const Zxid seen = ring.driver(observer).applied();
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.cut(id, observer);
  }
  REQUIRE(ring.driver(old_leader).status().role == Role::kLeading);  // it does not know yet
  ring.join(old_leader, observer);
  ring.pass(milliseconds(100));
  CHECK_FALSE(ring.driver(observer).leader().has_value());
  CHECK(ring.driver(observer).applied() >= seen);
}

}  // namespace ringside::coord::test
