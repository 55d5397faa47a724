// The rules of what voters say can fail: small wrong conversations, each of which must be flagged.
#include <doctest/doctest.h>

#include <functional>

#include "coord/storage/storage.h"
#include "tests/sim/selftest/broken_by.h"
#include "tests/sim/speech_rules.h"

namespace ringside::sim {

namespace {

using coord::Ack;
using coord::AckEpoch;
using coord::AckNewLeader;
using coord::Commit;
using coord::Entry;
using coord::Epoch;
using coord::MemberId;
using coord::Proposal;
using coord::Zxid;

constexpr MemberId kLeader{1};
constexpr MemberId kFollower{2};
constexpr MemberId kOther{3};

Zxid zxid(std::uint32_t epoch, std::uint64_t counter) {
  return Zxid{Epoch{epoch}, counter};
}

Entry entry(Zxid at, std::uint8_t content = 7) {
  return {at, std::make_shared<const Bytes>(Bytes{content})};
}

// Everybody's disk holds epoch 2 up to 2.3, and 1.9 was delivered; a follower is synchronized.
struct Ring {
  Ring() {
    says(kFollower, AckEpoch{Epoch{2}, Epoch{1}, zxid(1, 9), true, {}});
    says(kFollower, AckNewLeader{zxid(1, 9)});
  }
  void says(MemberId who, coord::Message what) {
    rules.said({who, applied, durable, false}, who == kLeader ? kFollower : kLeader,
               {5, std::move(what)}, zxid(1, 9));
  }
  SpeechRules rules{3};
  Zxid applied = zxid(1, 9);
  DurableState durable{zxid(2, 3), Epoch{2}, Epoch{2}};
};

std::string broken_by(const std::function<void(Ring&)>& conversation) {
  return sim::broken_by([&] {
    Ring ring;
    conversation(ring);
  });
}

}  // namespace

TEST_CASE("AGoodConversationBreaksNothing") {
  CHECK(broken_by([](Ring& ring) {
          ring.says(kLeader, Proposal{zxid(1, 9), {entry(zxid(2, 1)), entry(zxid(2, 2))}});
          ring.says(kFollower, Ack{zxid(2, 1)});
          ring.says(kFollower, Ack{zxid(2, 2)});
          ring.says(kLeader, Commit{zxid(2, 2)});
          ring.rules.delivered(zxid(2, 2));
        }) == "nothing");
}

TEST_CASE("AnAckOfWhatIsNotDurableIsFlagged") {
  CHECK(broken_by([](Ring& ring) { ring.says(kFollower, Ack{zxid(2, 4)}); }) == "D2");
  CHECK(broken_by([](Ring& ring) {
          ring.says(kFollower, Ack{zxid(2, 3)});
          ring.says(kFollower, Ack{zxid(2, 2)});
        }) == "D2");
  CHECK(broken_by([](Ring& ring) { ring.says(kOther, Ack{zxid(2, 1)}); }) == "D2");
  CHECK(broken_by([](Ring& ring) { ring.says(kOther, AckNewLeader{zxid(2, 4)}); }) == "D3");
  CHECK(broken_by([](Ring& ring) {
          ring.durable.current = Epoch{1};
          ring.says(kFollower, AckNewLeader{zxid(1, 9)});
        }) == "D3");
}

TEST_CASE("APromiseThatIsNotDurableIsFlagged") {
  CHECK(broken_by([](Ring& ring) {
          ring.says(kOther, AckEpoch{Epoch{3}, Epoch{2}, zxid(2, 3), true, {}});
        }) == "D4");
}

TEST_CASE("APromiseGivenTwiceIsFlagged") {
  CHECK(broken_by([](Ring& ring) {
          ring.says(kFollower, AckEpoch{Epoch{2}, Epoch{1}, zxid(1, 9), false, {}});
        }) == "nothing");  // it says itself that it promised before
  CHECK(broken_by([](Ring& ring) {
          ring.says(kFollower, AckEpoch{Epoch{2}, Epoch{1}, zxid(1, 9), true, {}});
        }) == "D4");
}

TEST_CASE("ALeaderThatBeginsBeforeItsOwnPromiseIsDurableIsFlagged") {
  const auto begin = [](Ring& ring) { ring.says(kLeader, coord::SyncStart{}); };
  CHECK(broken_by(begin) == "nothing");
  CHECK(broken_by([&](Ring& ring) {
          ring.durable.accepted = Epoch{1};
          begin(ring);
        }) == "D4");
}

TEST_CASE("ACommitWithoutAQuorumIsFlagged") {
  CHECK(broken_by([](Ring& ring) { ring.says(kLeader, Commit{zxid(2, 1)}); }) == "commit");
  CHECK(broken_by([](Ring& ring) {
          ring.says(kFollower, Ack{zxid(2, 3)});
          ring.durable.last = zxid(2, 2);  // the leader's own disk is behind
          ring.says(kLeader, Commit{zxid(2, 3)});
        }) == "commit");
}

TEST_CASE("AnotherPrimaryOrContentIsFlagged") {
  const auto propose = [](Ring& ring, MemberId who, std::uint8_t content) {
    ring.says(who, Proposal{zxid(1, 9), {entry(zxid(2, 1), content)}});
  };
  CHECK(broken_by([&](Ring& ring) {
          propose(ring, kLeader, 1);
          propose(ring, kOther, 1);
        }) == "primary");
  CHECK(broken_by([&](Ring& ring) {
          propose(ring, kLeader, 1);
          propose(ring, kLeader, 2);
        }) == "integrity");
  CHECK(broken_by([&](Ring& ring) {
          ring.applied = zxid(1, 8);
          propose(ring, kLeader, 1);
        }) == "primary integrity");
  CHECK(broken_by([](Ring& ring) { ring.rules.delivered(zxid(2, 1)); }) == "integrity");
}

TEST_CASE("OnlyWhatIsSyncedIsDurable") {
  ForgetfulDisk files;
  DurableLog log("sim", kFollower);
  std::vector<coord::DiskBatch> batches;
  struct Port : coord::DiskPort {
    explicit Port(std::vector<coord::DiskBatch>& into) : batches(into) {}
    void submit(coord::DiskBatch batch) override { batches.push_back(std::move(batch)); }
    std::vector<coord::DiskBatch>& batches;
  } port(batches);
  coord::Storage storage({.ring_name = "sim", .member = kFollower}, port);
  REQUIRE(storage.recover({}));
  storage.switch_history({.snapshot = std::nullopt,
                          .keep_until = {},
                          .entries = {},
                          .commit_point = {},
                          .birth = coord::BirthId{9},
                          .accepted_epoch = Epoch{1},
                          .current_epoch = Epoch{1}});
  const std::vector<Entry> first{entry(zxid(1, 1))};
  const std::vector<Entry> second{entry(zxid(1, 2))};
  storage.append(first, {}, {});
  storage.append(second, {}, {});
  Zxid before;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const coord::DiskBatch batch = batches[i];  // its completion submits more
    for (const coord::DiskOp& op : batch.ops) {
      files.apply(op);
      log.done(op);
      const Zxid last = log.state(files).last;
      CHECK(last >= before);
      if (last != before) {  // by a sync, or a manifest's name that became durable
        CHECK((std::holds_alternative<coord::SyncFile>(op) ||
               std::holds_alternative<coord::SyncDirectory>(op)));
      }
      before = last;
    }
    storage.on_disk_done(batch.id, {});
    storage.tend(Instant{});
  }
  CHECK(before == zxid(1, 2));
  CHECK(log.state(files).accepted == Epoch{1});
}

}  // namespace ringside::sim
