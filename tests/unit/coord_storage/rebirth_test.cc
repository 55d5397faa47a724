// A ring begun anew from one member's directory: all of its log, crash-safe at every operation.
#include "coord/rebirth.h"

#include "coord/codec/txn_codec.h"
#include "coord/registry/registry.h"
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

namespace {

constexpr BirthId kFresh{1234};

// A member whose log creates /n1, /n2, ... one by one.
struct Voter : Member {
  Voter() : Member(700) {
    restart();
    storage->save_epochs(kBirth, Epoch{3}, Epoch{2});
  }
  // Appends creations up to /n<last>; `known` is known to be committed.
  void create_up_to(std::uint64_t last, std::uint64_t known) {
    for (std::uint64_t i = registry.applied().counter() + 1; i <= last; ++i) {
      Preparer preparer(registry, RingSecret{1, 2});
      Create create;
      create.path = "/n" + std::to_string(i);
      Request request;
      request.what = Multi{{create}};
      const Zxid at = zxid(2, i);
      const Txn txn = preparer.prepare(request, Origin{MemberId{1}, RequestId{i}}, at, WallTime{},
                                       [] { return SessionId{1}; });
      const Entry one{at, std::make_shared<const Bytes>(encode_txn(txn))};
      REQUIRE(registry.apply(at, txn).has_value());
      storage->append(std::span(&one, 1), zxid(2, std::min(known, i - 1)), {});
    }
    run();
  }
  void snapshot(std::uint64_t keep_from) {
    const SnapshotFileId file = storage->begin_snapshot(registry.applied());
    storage->add_to_snapshot(file, std::make_shared<const Bytes>(registry.snapshot()));
    storage->seal_snapshot(file);
    run();
    storage->adopt_snapshot(file, zxid(2, keep_from));
    run();
  }
  Rebirth reborn() {
    auto found = rebirth(options, disk.image(), kFresh);
    REQUIRE_MESSAGE(found.has_value(), found.error().message);
    return std::move(*found);
  }
  void carry_out_all(const std::vector<DiskOp>& ops) {
    for (const DiskOp& op : ops) {
      disk.apply(op);
    }
  }

  Registry registry;
};

}  // namespace

TEST_CASE("ARebirthKeepsTheWholeLogUnderANewBirth") {
  Voter voter;
  voter.create_up_to(12, 9);
  const Rebirth found = voter.reborn();
  CHECK(found.birth == Member::kBirth);
  CHECK(found.last == zxid(2, 12));
  CHECK(found.beyond_committed > 0);
  CHECK(found.doubt.empty());
  CHECK(found.znodes == voter.registry.znodes());
  voter.carry_out_all(found.ops);
  const Recovered recovered = voter.restart();
  CHECK(recovered.birth == kFresh);
  CHECK_FALSE(recovered.fresh);
  CHECK_FALSE(recovered.in_doubt);
  CHECK(recovered.accepted_epoch == Epoch{3});
  CHECK(recovered.current_epoch == Epoch{2});
  CHECK(recovered.commit_point == zxid(2, 12));
  CHECK(recovered.log.empty());
  REQUIRE(recovered.snapshot.has_value());
  const auto registry = Registry::load(*recovered.snapshot->bytes);
  REQUIRE(registry.has_value());
  CHECK(registry->digest() == voter.registry.digest());
  CHECK(registry->applied() == zxid(2, 12));
  CHECK(voter.files("log.").empty());
  CHECK(voter.files("snap.").size() == 1);
}

TEST_CASE("ARebirthFromSnapshotAndLogEqualsOneFromTheLog") {
  Voter voter;
  voter.create_up_to(8, 8);
  voter.snapshot(7);
  voter.create_up_to(14, 14);
  voter.carry_out_all(voter.reborn().ops);
  const auto registry = Registry::load(*voter.restart().snapshot->bytes);
  REQUIRE(registry.has_value());
  CHECK(registry->digest() == voter.registry.digest());
}

TEST_CASE("ARebirthClearsTheDoubtAndNamesIt") {
  Voter voter;
  voter.create_up_to(12, 9);
  const auto logs = voter.files("log.");
  REQUIRE(logs.size() > 1);
  voter.disk.bytes_of(logs.back())[80] ^= 1;
  const Rebirth found = voter.reborn();
  CHECK_FALSE(found.doubt.empty());
  CHECK(found.last < zxid(2, 12));
  CHECK(describe(found).find("damaged") != std::string::npos);
  voter.carry_out_all(found.ops);
  CHECK_FALSE(voter.restart().in_doubt);
  CHECK(voter.files("log.").empty());
}

TEST_CASE("ARebirthNeedsAHistory") {
  Member empty;
  empty.restart();
  CHECK(rebirth(empty.options, empty.disk.image(), kFresh).error().code == ErrorCode::kNotFound);
  Voter voter;
  voter.create_up_to(3, 3);
  voter.disk.apply(RemoveFile{"manifest"});
  CHECK(rebirth(voter.options, voter.disk.image(), kFresh).error().code == ErrorCode::kNotFound);
  voter.options.ring_name = "other";
  Voter other;
  other.create_up_to(3, 3);
  other.options.ring_name = "other";
  CHECK(rebirth(other.options, other.disk.image(), kFresh).error().code == ErrorCode::kRefused);
}

TEST_CASE("ACrashInARebirthLeavesTheOldHistoryOrTheNewOne") {
  Voter voter;
  voter.create_up_to(8, 8);
  voter.snapshot(5);
  voter.create_up_to(14, 12);
  const Rebirth found = voter.reborn();
  const sim::ForgetfulDisk before = voter.disk;
  std::size_t renamed = 0;
  for (std::size_t i = 0; i < found.ops.size(); ++i) {
    const auto* rename = std::get_if<RenameFile>(&found.ops[i]);
    renamed = rename != nullptr && rename->to == "manifest" ? i : renamed;
  }
  REQUIRE(renamed > 0);
  for (std::size_t done = 0; done <= found.ops.size(); ++done) {
    for (const std::uint32_t mask : {0U, ~0U, 0x55555555U, 0xaaaaaaaaU}) {
      CAPTURE(done);
      CAPTURE(mask);
      voter.disk = before;
      for (std::size_t i = 0; i < done; ++i) {
        voter.disk.apply(found.ops[i]);
      }
      std::uint32_t bit = 0;
      voter.disk.power_cut(
          {[&] { return ((mask >> (bit++ % 32U)) & 1U) != 0; },
           [](Bytes& bytes, std::size_t synced) { bytes.resize((synced + bytes.size()) / 2); }});
      const Recovered recovered = voter.restart();
      CHECK_FALSE(recovered.in_doubt);
      if (recovered.birth == kFresh) {
        CHECK(done > renamed);
        CHECK(recovered.snapshot->zxid == zxid(2, 14));
        CHECK(recovered.log.empty());
        CHECK(voter.files("log.").empty());
      } else {
        CHECK(done <= renamed + 1);
        CHECK(recovered.birth == Member::kBirth);
        CHECK(recovered.log.back().zxid == zxid(2, 14));
      }
      CHECK(voter.files("snap.").size() == 1);
    }
  }
}

}  // namespace ringside::coord
