// Exhaustive power cuts: a script of calls, cut after every disk operation and inside every write,
// with every pattern of loss; what had completed is there, the call under way is there wholly or
// not at all.
#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "config/base/rng.h"

#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

namespace {

// What a directory must come to, kept by the test itself.
struct Expected {
  Epoch accepted;
  Epoch current;
  Zxid snapshot;
  std::vector<Zxid> log;  // after the snapshot
  bool operator==(const Expected&) const = default;
};

Expected reduce(const Recovered& recovered) {
  Expected out{recovered.accepted_epoch, recovered.current_epoch,
               recovered.snapshot ? recovered.snapshot->zxid : Zxid{}, zxids(recovered.log)};
  std::erase_if(out.log, [&](Zxid id) { return id <= out.snapshot; });
  return out;
}

struct Step {
  std::function<DiskBatchId(Storage&)> call;
  Expected after;
};

NewHistory history(std::uint32_t epoch, Zxid keep, std::vector<Entry> more) {
  NewHistory out;
  out.keep_until = keep;
  out.entries = std::move(more);
  out.birth = Member::kBirth;
  out.accepted_epoch = out.current_epoch = Epoch{epoch};
  return out;
}

std::vector<Zxid> range(Zxid first, std::size_t count) {
  return zxids(entries(first, count));
}

std::vector<Zxid> joined(std::vector<Zxid> a, const std::vector<Zxid>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<Step> script() {
  const auto epochs = [](std::uint32_t accepted, std::uint32_t current) {
    return [=](Storage& storage) {
      return storage.save_epochs(Member::kBirth, Epoch{accepted}, Epoch{current});
    };
  };
  const auto append = [](Zxid first, std::size_t count) {
    return [=](Storage& storage) { return storage.append(entries(first, count), {}, {}); };
  };
  const Epoch one{1};
  const Epoch two{2};
  const Epoch three{3};
  std::vector<Step> steps;
  steps.push_back({epochs(1, 0), {one, {}, {}, {}}});
  steps.push_back({epochs(1, 1), {one, one, {}, {}}});
  steps.push_back({append(zxid(1, 1), 3), {one, one, {}, range(zxid(1, 1), 3)}});
  steps.push_back({append(zxid(1, 4), 2), {one, one, {}, range(zxid(1, 1), 5)}});
  steps.push_back({append(zxid(1, 6), 3), {one, one, {}, range(zxid(1, 1), 8)}});
  const auto file = std::make_shared<SnapshotFileId>();
  const auto write = [file](Zxid at, const char* state) {
    return [=](Storage& storage) {
      *file = storage.begin_snapshot(at);
      storage.add_to_snapshot(*file, text(state));
      return storage.seal_snapshot(*file);
    };
  };
  steps.push_back({write(zxid(1, 4), "four"), {one, one, {}, range(zxid(1, 1), 8)}});
  steps.push_back({[file](Storage& storage) { return storage.adopt_snapshot(*file, zxid(1, 4)); },
                   {one, one, zxid(1, 4), range(zxid(1, 5), 4)}});
  steps.push_back({append(zxid(1, 9), 2), {one, one, zxid(1, 4), range(zxid(1, 5), 6)}});
  steps.push_back({epochs(2, 1), {two, one, zxid(1, 4), range(zxid(1, 5), 6)}});
  steps.push_back({[](Storage& storage) {
                     return storage.switch_history(history(2, zxid(1, 7), entries(zxid(2, 1), 2)));
                   },
                   {two, two, zxid(1, 4), joined(range(zxid(1, 5), 3), range(zxid(2, 1), 2))}});
  steps.push_back({append(zxid(2, 3), 1),
                   {two, two, zxid(1, 4), joined(range(zxid(1, 5), 3), range(zxid(2, 1), 3))}});
  steps.push_back({write(zxid(2, 5), "five"),
                   {two, two, zxid(1, 4), joined(range(zxid(1, 5), 3), range(zxid(2, 1), 3))}});
  steps.push_back({[file](Storage& storage) {
                     NewHistory snap = history(3, {}, entries(zxid(2, 6), 2));
                     snap.snapshot = *file;
                     return storage.switch_history(snap);
                   },
                   {three, three, zxid(2, 5), range(zxid(2, 6), 2)}});
  steps.push_back({append(zxid(3, 1), 2),
                   {three, three, zxid(2, 5), joined(range(zxid(2, 6), 2), range(zxid(3, 1), 2))}});
  return steps;
}

// Runs the script, each call until its batch is done, and records the operations in the order in
// which the two lanes carry them out. `order` picks one of many: 0 the log's lane first, 1 the side
// lane first, else a random one.
struct Plan {
  Plan(const std::vector<Step>& steps, std::uint64_t order) : rng(order) {
    Member member(150);
    (void)member.try_restart();
    for (const Step& step : steps) {
      const DiskBatchId id = step.call(*member.storage);
      while (!done.contains(id)) {
        carry_out_one(member, order);
      }
      ends.push_back(ops.size());
    }
    while (carry_out_one(member, order)) {
    }
  }
  // How many calls are durable once the first `ops_done` operations are.
  [[nodiscard]] std::size_t calls_done(std::size_t ops_done) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(ends, ops_done) - ends.begin());
  }
  std::vector<DiskOp> ops;

 private:
  bool carry_out_one(Member& member, std::uint64_t order) {
    for (DiskBatch& batch : std::exchange(member.port.batches, {})) {
      lanes[batch.lane == DiskLane::kSide ? 1 : 0].push_back(std::move(batch));
    }
    const std::size_t first = order < 2 ? order : rng.below(2);
    auto& lane = lanes[lanes[first].empty() ? 1 - first : first];
    if (lane.empty()) {
      return false;
    }
    auto& left = lane.front().ops;
    ops.push_back(left.front());
    left.erase(left.begin());
    if (left.empty()) {
      const DiskBatchId id = lane.front().id;
      lane.pop_front();
      done.insert(id);
      member.storage->on_disk_done(id, {});
    }
    return true;
  }

  Rng rng;
  std::array<std::deque<DiskBatch>, 2> lanes;
  std::set<DiskBatchId> done;
  std::vector<std::size_t> ends;
};

using Tear = std::function<void(Bytes&, std::size_t)>;

std::vector<Tear> tears() {
  std::vector<Tear> out;
  out.emplace_back([](Bytes& bytes, std::size_t synced) { bytes.resize(synced); });
  out.emplace_back([](Bytes&, std::size_t) {});
  out.emplace_back(
      [](Bytes& bytes, std::size_t synced) { bytes.resize((synced + bytes.size()) / 2); });
  out.emplace_back([](Bytes& bytes, std::size_t synced) { bytes.resize(synced + 1); });
  out.emplace_back([](Bytes& bytes, std::size_t) { bytes.pop_back(); });
  out.emplace_back([](Bytes& bytes, std::size_t synced) {
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(synced), bytes.end(), std::uint8_t{0});
  });
  out.emplace_back([](Bytes& bytes, std::size_t synced) {  // blocks taken ahead read as zeros
    bytes.resize(synced);
    bytes.resize(synced + 700);
  });
  return out;
}

std::function<bool()> names_by_mask(std::uint32_t mask) {
  return [mask, bit = 0U]() mutable { return ((mask >> (bit++ % 32U)) & 1U) != 0; };
}

// Writes on after a recovery, to see that nothing left behind gets in the way.
void write_on(Member& member, const Expected& state) {
  const Epoch next{state.accepted.value + 1};
  member.storage->save_epochs(Member::kBirth, next, next);
  member.storage->append(entries(Zxid{next, 1}, 2), {}, {});
  member.run();
  Expected longer = state;
  longer.accepted = longer.current = next;
  longer.log = joined(longer.log, range(Zxid{next, 1}, 2));
  CHECK(reduce(member.restart()) == longer);
}

// Cuts the power while the tidying of a recovery is under way, at every operation.
void cut_while_tidying(const sim::ForgetfulDisk& disk, const Expected& state, std::uint32_t mask) {
  for (std::size_t done = 0;; ++done) {
    Member member(150);
    member.disk = disk;
    REQUIRE(member.try_restart().has_value());
    std::vector<DiskOp> ops;
    for (const DiskBatch& batch : member.port.batches) {
      ops.insert(ops.end(), batch.ops.begin(), batch.ops.end());
    }
    for (std::size_t i = 0; i < std::min(done, ops.size()); ++i) {
      member.disk.apply(ops[i]);
    }
    member.disk.power_cut({names_by_mask(mask), tears()[0]});
    CHECK(reduce(member.restart()) == state);
    if (done >= ops.size()) {
      return;
    }
  }
}

void cut_power(const Plan& plan, const std::vector<Step>& steps, std::size_t done,
               std::size_t part_of_write, const Tear& tear, std::uint32_t mask,
               bool tidying = false) {
  Member member(150);
  for (std::size_t i = 0; i < done; ++i) {
    member.disk.apply(plan.ops[i]);
  }
  if (part_of_write > 0) {
    member.disk.apply_partly(std::get<WriteAt>(plan.ops[done]), part_of_write);
  }
  member.disk.power_cut({names_by_mask(mask), tear});
  const sim::ForgetfulDisk survived = member.disk;
  const Recovered recovered = member.restart();
  CHECK_FALSE(recovered.in_doubt);
  const std::size_t calls = plan.calls_done(done);
  const Expected before = calls == 0 ? Expected{} : steps[calls - 1].after;
  const Expected got = reduce(recovered);
  const bool all_or_nothing = got == before || (calls < steps.size() && got == steps[calls].after);
  CHECK(all_or_nothing);
  if (all_or_nothing) {
    write_on(member, got);
    if (tidying) {
      cut_while_tidying(survived, got, mask);
    }
  }
}

constexpr std::uint64_t kOrders = 4;
constexpr std::uint32_t kMasks[] = {0U, ~0U, 0x55555555U, 0xaaaaaaaaU, 1U, 2U, 4U, ~1U, ~2U, ~4U};

}  // namespace

TEST_CASE("APowerCutAfterAnyOperationLosesNothingThatCompleted") {
  const auto steps = script();
  for (std::uint64_t order = 0; order < kOrders; ++order) {
    const Plan plan(steps, order);
    REQUIRE(plan.ops.size() > 60);
    for (std::size_t done = 0; done <= plan.ops.size(); ++done) {
      for (std::size_t tear = 0; tear < tears().size(); ++tear) {
        for (const std::uint32_t mask : kMasks) {
          CAPTURE(order);
          CAPTURE(done);
          CAPTURE(tear);
          CAPTURE(mask);
          cut_power(plan, steps, done, 0, tears()[tear], mask, order == 0 && tear == 0);
        }
      }
    }
  }
}

TEST_CASE("APowerCutAtAnyByteOfAWriteLosesNothingThatCompleted") {
  const auto steps = script();
  const Plan plan(steps, 0);
  for (std::size_t done = 0; done < plan.ops.size(); ++done) {
    const auto* write = std::get_if<WriteAt>(&plan.ops[done]);
    for (std::size_t part = 1; write != nullptr && part < write->bytes->size(); ++part) {
      CAPTURE(done);
      CAPTURE(part);
      cut_power(plan, steps, done, part, tears()[1], ~0U);
    }
  }
}

TEST_CASE("AKilledProcessLosesNothingThatWasWritten") {
  const auto steps = script();
  const Plan plan(steps, 0);
  for (std::size_t done = 0; done <= plan.ops.size(); ++done) {
    CAPTURE(done);
    Member member(150);
    for (std::size_t i = 0; i < done; ++i) {
      member.disk.apply(plan.ops[i]);
    }
    const Expected got = reduce(member.restart());
    // What a killed process left must hold from now on, power cut or not.
    member.disk.power_cut({[] { return false; }, tears()[0]});
    CHECK(reduce(member.restart()) == got);
    const std::size_t calls = plan.calls_done(done);
    const Expected before = calls == 0 ? Expected{} : steps[calls - 1].after;
    CHECK((got == before || (calls < steps.size() && got == steps[calls].after)));
  }
}

}  // namespace ringside::coord
