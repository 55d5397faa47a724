#include "coord/storage/room.h"
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

TEST_CASE("AShortageIsOverWhenWhatLackedBlocksIsNeededNoMore") {
  std::vector<std::vector<DiskOp>> asked;
  Room room(1000, [&](std::vector<DiskOp> ops) {
    asked.push_back(std::move(ops));
    return DiskBatchId{asked.size()};
  });
  room.adopt_open("log.1", 1000);
  const std::size_t all = asked.size();  // 4 manifests, the open segment, the next one
  REQUIRE(all == 6);
  for (std::uint64_t i = 1; i <= all; ++i) {
    room.done(DiskBatchId{i}, i == 5 ? Status(fail(ErrorCode::kUnavailable, "full")) : Status{});
  }
  CHECK_FALSE(room.shortage().empty());
  room.forget("log.1");  // a switch of histories closed it
  for (int second = 0; second < 5; ++second) {
    room.tend(Instant(seconds(second)));
  }
  CHECK(room.shortage().empty());
}

TEST_CASE("AFailureThatIsNoWantOfRoomIsAShortageOnlyOnceItLasts") {
  std::uint64_t asked = 0;
  Room room(1000, [&](const std::vector<DiskOp>&) { return DiskBatchId{++asked}; });
  room.tend(Instant{});
  const auto fail_one = [&](ErrorCode code) {
    for (std::uint64_t batch = 1; batch <= asked; ++batch) {
      if (room.done(DiskBatchId{batch}, fail(code, "it failed"))) {
        return;
      }
    }
  };
  fail_one(ErrorCode::kIo);
  CHECK(room.shortage().empty());
  for (int second = 0; second < 60 && room.shortage().empty(); ++second) {
    room.tend(Instant(seconds(second)));
    fail_one(ErrorCode::kIo);
  }
  CHECK_FALSE(room.shortage().empty());

  Room other(1000, [&](const std::vector<DiskOp>&) { return DiskBatchId{++asked}; });
  asked = 0;
  other.tend(Instant{});
  CHECK(other.done(DiskBatchId{1}, fail(ErrorCode::kUnavailable, "full")));
  CHECK_FALSE(other.shortage().empty());
}

}  // namespace ringside::coord
