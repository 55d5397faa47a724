// Snapshots in slices: to a follower, to observers, to the own disk, while writes go on.
#include <doctest/doctest.h>

#include <algorithm>

#include "coord/driver/snapshot_receiver.h"
#include "coord/driver/snapshot_sender.h"
#include "driver_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::DriverRing;

namespace {

constexpr std::uint64_t kObserver = kMinObserverId + 7;

// 3 leads a tree that takes hundreds of chunks, and keeps so little history that a voter without a
// disk needs a snapshot.
struct LargeRing : DriverRing {
  LargeRing() : DriverRing({1, 2, 3}) {
    options.keep_entries = 5;
    options.snapshot_chunk_bytes = 256;
    options.slice_nodes = 10;
  }
  void run() {
    for (const std::uint64_t id : {1, 2, 3}) {
      start(id);
    }
    pass(milliseconds(500));
    REQUIRE(leader() == 3);
    REQUIRE(create(3, "/ringside")->error == ZkError::kOk);
    for (int i = 0; i < 200; ++i) {
      write("/ringside/n" + std::to_string(i));
    }
    sent.clear();
  }
  void write(const std::string& path) {
    Create create;
    create.path = path;
    create.data = Bytes(100, 7);
    REQUIRE(ask(3, Request{SessionId{}, Multi{{create}}})->error == ZkError::kOk);
  }
  void lose(std::uint64_t id) {
    kill(id);
    wipe(id);
    pass(milliseconds(200));
  }
  std::size_t chunks(std::uint64_t from) {
    return static_cast<std::size_t>(std::ranges::count_if(
        sent[MemberId{from}], [](const Message& message) { return is_chunk(message); }));
  }
  std::uint64_t chunk_bytes(std::uint64_t from) {
    std::uint64_t bytes = 0;
    for (const Message& message : sent[MemberId{from}]) {
      bytes += is_chunk(message) ? std::get<SnapshotChunk>(message).bytes.size() : 0;
    }
    return bytes;
  }
  static bool is_chunk(const Message& message) {
    return std::holds_alternative<SnapshotChunk>(message);
  }
  bool same(std::uint64_t a, std::uint64_t b) {
    return driver(a).registry().digest() == driver(b).registry().digest() &&
           driver(a).registry().applied() == driver(b).registry().applied();
  }
  std::size_t files(std::uint64_t id, const std::string& part) {
    return static_cast<std::size_t>(std::ranges::count_if(
        member(id).disk.image.files,
        [&part](const auto& file) { return file.first.find(part) != std::string::npos; }));
  }
  void need_no_fence() {
    for (const auto& [id, entry] : members) {
      CHECK_FALSE(entry->ports->fence);
    }
    CHECK(errors.empty());
  }
};

std::unique_ptr<SnapshotCursor> cursor_of(const Registry& registry) {
  return registry.begin_snapshot(true);
}

}  // namespace

TEST_CASE("SenderKeepsItsWindowAndIsTakenOnlyWithTheLastAck") {
  const Registry registry;
  SnapshotSender sender(cursor_of(registry), 1, 2, Instant{});
  std::size_t sent = 0;
  SnapshotChunk chunk;
  while (sender.ready()) {
    chunk = sender.next(Instant{});
    ++sent;
  }
  CHECK(sent == SnapshotSender::kWindowChunks);
  while (!chunk.last) {
    REQUIRE(sender.acknowledged({chunk.zxid, chunk.offset + chunk.bytes.size()}, Instant{}));
    REQUIRE(sender.ready());
    chunk = sender.next(Instant{});
  }
  CHECK_FALSE(sender.taken());
  CHECK_FALSE(sender.acknowledged({chunk.zxid, 1'000'000}, Instant{}));
  CHECK(sender.acknowledged({chunk.zxid, chunk.offset + chunk.bytes.size()}, Instant{}));
  CHECK(sender.taken());
}

TEST_CASE("ReceiverAcknowledgesTheEndOnlyWhenAllIsLoaded") {
  const Registry registry;
  SnapshotSender sender(cursor_of(registry), 1, 1'000'000, Instant{});
  const SnapshotChunk only = sender.next(Instant{});
  REQUIRE(only.last);
  SnapshotReceiver receiver({MemberId{1}, 1, only.zxid, false}, 1, nullptr);
  REQUIRE(receiver.add(only));
  CHECK_FALSE(receiver.take_ack());
  CHECK(receiver.busy());
  while (receiver.busy()) {
    REQUIRE(receiver.work(1));
  }
  CHECK(receiver.whole());
  const auto ack = receiver.take_ack();
  REQUIRE(ack);
  CHECK(ack->offset == only.bytes.size());
  CHECK_FALSE(receiver.take_ack());
}

TEST_CASE("ChunksThatDoNotFitTogetherAreRefused") {
  const Registry registry;
  SnapshotSender sender(cursor_of(registry), 1, 4, Instant{});
  const SnapshotChunk first = sender.next(Instant{});
  const SnapshotChunk second = sender.next(Instant{});
  const SnapshotWanted wanted{MemberId{1}, 1, first.zxid, false};
  CHECK_FALSE(SnapshotReceiver(wanted, 1, nullptr).add(second));
  SnapshotReceiver receiver(wanted, 1, nullptr);
  CHECK(receiver.add(first));
  CHECK_FALSE(receiver.add(first));
}

TEST_CASE("LostFollowerTakesALargeTreeInChunksWhileWritesGoOn") {
  LargeRing ring;
  ring.options.snapshot_bytes_per_second = 100'000;
  ring.run();
  ring.lose(1);
  ring.start(1);
  for (int i = 0; i < 30; ++i) {
    ring.write("/meanwhile" + std::to_string(i));
    ring.pass(milliseconds(5));
  }
  CHECK_FALSE(ring.driver(1).status().leader);
  CHECK(ring.driver(1).registry().applied() == Zxid{});
  ring.pass(seconds(3));
  CHECK(ring.chunks(3) > 100);
  CHECK(ring.same(1, 3));
  CHECK(ring.files(1, ".part") == 0);
  CHECK(ring.files(1, "snap.") == 1);
  ring.kill(1);  // and its disk holds it all
  ring.start(1);
  ring.pass(seconds(1));
  CHECK(ring.same(1, 3));
  ring.need_no_fence();
}

TEST_CASE("SnapshotsKeepToTheirBandwidth") {
  LargeRing ring;
  ring.options.snapshot_bytes_per_second = 10'000;
  ring.run();
  ring.lose(1);
  ring.start(1);
  ring.pass(milliseconds(1000));
  CHECK(ring.chunk_bytes(3) > 8'000);
  CHECK(ring.chunk_bytes(3) < 11'000);
  ring.pass(seconds(6));
  CHECK(ring.same(1, 3));
}

TEST_CASE("ReceiverThatTakesNothingInGetsNoMoreThanTheWindowAndIsDropped") {
  LargeRing ring;
  ring.options.snapshot_bytes_per_second = 20'000;
  ring.run();
  ring.lose(1);
  ring.start(1);
  ring.pass(milliseconds(300));
  ring.member(1).disk_stuck = true;
  ring.sent.clear();
  ring.pass(seconds(20));
  CHECK(ring.chunks(3) <= SnapshotSender::kWindowChunks + 1);
  ring.member(1).ports->logs.clear();
  ring.pass(seconds(15));
  CHECK(std::ranges::any_of(ring.member(1).ports->logs, [](const std::string& line) {
    return line.find("the link to the leader is down") != std::string::npos;
  }));
  CHECK(ring.leader() == 3);
}

TEST_CASE("D6SnapshotCutOffInTheMiddleLeavesNothing") {
  LargeRing ring;
  ring.options.snapshot_bytes_per_second = 20'000;
  ring.run();
  ring.lose(1);
  ring.start(1);
  ring.pass(milliseconds(500));
  CHECK(ring.files(1, ".part") == 1);
  ring.cut(1, 3);
  ring.settle();
  CHECK(ring.files(1, "snap.") == 0);
  CHECK(ring.driver(1).registry().applied() == Zxid{});
  ring.join(1, 3);
  ring.pass(seconds(5));
  CHECK(ring.same(1, 3));
  ring.need_no_fence();
}

TEST_CASE("FollowerWhoseDiskCannotKeepASnapshotIsNotFencedAndTriesAgain") {
  LargeRing ring;
  ring.run();
  ring.lose(1);
  ring.member(1).disk.side_fails = true;
  ring.start(1);
  ring.pass(milliseconds(500));
  CHECK_FALSE(ring.member(1).ports->fence);
  CHECK(ring.driver(1).registry().applied() == Zxid{});
  ring.member(1).disk.side_fails = false;
  ring.join(1, 3);
  ring.pass(seconds(3));
  CHECK(ring.same(1, 3));
  ring.need_no_fence();
}

TEST_CASE("OwnSnapshotIsWrittenInPiecesAndAFailedOneIsTriedAgainLater") {
  LargeRing ring;
  ring.options.snapshot_after_bytes = 8'000;
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.start(id);
    ring.member(id).disk.side_fails = true;
  }
  ring.pass(milliseconds(500));
  REQUIRE(ring.leader() == 3);
  const auto write_some = [&ring](const std::string& name) {
    for (int i = 0; i < 100; ++i) {
      ring.write(name + std::to_string(i));
    }
  };
  write_some("/a");
  ring.pass(seconds(1));
  CHECK(ring.files(3, "snap.") == 0);
  const auto warnings = [&ring] {
    return std::ranges::count_if(ring.member(3).ports->logs, [](const std::string& line) {
      return line.find("no snapshot this time") != std::string::npos;
    });
  };
  CHECK(warnings() == 1);  // not at once again
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.member(id).disk.side_fails = false;
  }
  ring.pass(seconds(35));
  CHECK(warnings() == 1);
  CHECK(ring.files(3, "snap.") == 1);
  CHECK(ring.files(3, ".part") == 0);
  const std::uint64_t digest = ring.driver(3).registry().digest();
  ring.kill(3);
  CHECK(ring.start(3).registry().digest() == digest);
  ring.need_no_fence();
}

TEST_CASE("ObserverGetsInOrderWhatHappensDuringItsSnapshot") {
  LargeRing ring;
  ring.options.snapshot_bytes_per_second = 30'000;
  ring.run();
  ring.start(kObserver);
  for (int i = 0; i < 50; ++i) {
    ring.write("/ringside/later" + std::to_string(i));
    ring.pass(milliseconds(5));
  }
  CHECK(ring.driver(kObserver).status().role == Role::kLooking);
  ring.pass(seconds(3));
  CHECK(ring.driver(kObserver).status().role == Role::kObserving);
  CHECK(ring.driver(kObserver).registry().scope_digest() ==
        ring.driver(3).registry().scope_digest());
  CHECK(ring.driver(kObserver).status().elections == 1);
  CHECK(ring.ask(kObserver, Request{SessionId{}, Sync{}})->error == ZkError::kOk);
  ring.need_no_fence();
}

TEST_CASE("ObserversBeyondThoseServedAtOnceWaitTheirTurn") {
  LargeRing ring;
  ring.run();
  for (std::uint64_t i = 0; i < 20; ++i) {
    ring.start(kObserver + i);
  }
  ring.pass(seconds(3));
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(ring.driver(kObserver + i).status().role == Role::kObserving);
    CHECK(ring.driver(kObserver + i).status().elections == 1);
  }
  ring.need_no_fence();
}

TEST_CASE("WhoeverWaitsForAFreeCursorDoesNotMakeTheCallerSpin") {
  LargeRing ring;
  ring.run();
  std::vector<std::unique_ptr<SnapshotCursor>> taken;  // as ten followers and their like would
  while (ring.driver(3).registry().snapshot_may_begin()) {
    taken.push_back(ring.driver(3).registry().begin_snapshot());
  }
  ring.start(kObserver);
  ring.settle();
  CHECK(ring.driver(3).next_deadline() > ring.now);
  ring.pass(milliseconds(500));
  CHECK(ring.driver(kObserver).status().role == Role::kLooking);
  taken.clear();
  ring.pass(seconds(3));
  CHECK(ring.driver(kObserver).status().role == Role::kObserving);
  ring.need_no_fence();
}

// --- a full disk

TEST_CASE("MemberWithoutRoomStandsAsideServesReadsAndComesBackByItself") {
  LargeRing ring;
  ring.options.segment_bytes = 4'000;
  ring.run();
  ring.member(3).disk.no_room = true;
  for (int i = 0; i < 40 && ring.leader() == 3; ++i) {
    ring.write("/full" + std::to_string(i));
    ring.pass(milliseconds(20));
  }
  ring.pass(milliseconds(200));
  const std::uint64_t next = ring.leader();
  REQUIRE(next != 0);
  CHECK(next != 3);
  const RingStatus status = ring.driver(3).status();
  CHECK(status.role == Role::kLooking);
  CHECK_FALSE(status.short_of_room.empty());
  CHECK(status.waiting_for == status.short_of_room);
  CHECK(ring.driver(3).registry().get("/ringside/n1"));
  CHECK(ring.create(next, "/without-it")->error == ZkError::kOk);
  CHECK(ring.create(3, "/refused")->error == ZkError::kConnectionLoss);
  const auto told = std::ranges::count_if(ring.member(3).ports->logs, [](const std::string& line) {
    return line.find("takes no part in the ring") != std::string::npos;
  });
  CHECK(told == 1);
  ring.pass(seconds(5));
  CHECK(ring.leader() == next);
  ring.member(3).disk.no_room = false;
  ring.pass(seconds(3));
  CHECK(ring.driver(3).status().short_of_room.empty());
  CHECK(ring.driver(3).status().role == Role::kFollowing);
  CHECK(ring.same(3, next));
  ring.need_no_fence();
}

TEST_CASE("RingWithoutRoomIsReadableSaysWhyAndGoesOnWhenThereIsSome") {
  LargeRing ring;
  ring.options.segment_bytes = 4'000;
  ring.run();
  for (const std::uint64_t id : {1, 2, 3}) {
    ring.member(id).disk.no_room = true;
  }
  for (int i = 0; i < 60 && ring.leader() != 0; ++i) {
    static_cast<void>(ring.create(ring.leader(), "/full" + std::to_string(i)));
    ring.pass(milliseconds(50));
  }
  ring.pass(seconds(3));
  CHECK(ring.leader() == 0);
  for (const std::uint64_t id : {1, 2, 3}) {
    CHECK(ring.driver(id).registry().get("/ringside/n1"));
    ring.member(id).disk.no_room = false;
  }
  ring.pass(seconds(3));
  REQUIRE(ring.leader() != 0);
  CHECK(ring.create(ring.leader(), "/again")->error == ZkError::kOk);
  ring.need_no_fence();
}
