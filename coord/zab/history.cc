#include "coord/zab/history.h"

#include <algorithm>
#include <limits>

#include "config/base/check.h"

namespace ringside::coord {

namespace {

constexpr std::uint64_t kEntryOverhead = 64;

}  // namespace

History::History(Zxid snapshot, const std::vector<Entry>& log) : base_(snapshot) {
  if (!log.empty() && log.front().zxid <= snapshot) {
    // Kept from before the snapshot. What stood before it is known by number only within its epoch;
    // counter 0 equals no zxid of any history.
    base_ = Zxid{log.front().zxid.packed - 1};
  }
  for (const Entry& entry : log) {
    append(entry);
  }
}

bool History::can_append(Zxid zxid) const {
  return zxid.follows(last());
}

void History::append(Entry entry) {
  CHECK(can_append(entry.zxid));
  bytes_ += entry.txn->size() + kEntryOverhead;
  records_.push_back({std::move(entry), bytes_});
}

void History::truncate_after(Zxid zxid) {
  CHECK(contains(zxid));
  while (!records_.empty() && records_.back().entry.zxid > zxid) {
    records_.pop_back();
  }
  if (!records_.empty()) {
    bytes_ = records_.back().bytes_up_to;
  }
}

void History::reset(Zxid base) {
  records_.clear();
  base_ = base;
}

void History::trim(Zxid applied, std::uint64_t keep_bytes, std::size_t keep_entries) {
  while (!records_.empty() && records_.front().entry.zxid < applied &&
         (records_.size() > keep_entries || bytes_after(base_) > keep_bytes)) {
    base_ = records_.front().entry.zxid;
    records_.pop_front();
  }
}

std::size_t History::index_after(Zxid zxid) const {
  const auto found =
      std::upper_bound(records_.begin(), records_.end(), zxid,
                       [](Zxid left, const Record& right) { return left < right.entry.zxid; });
  return static_cast<std::size_t>(found - records_.begin());
}

bool History::contains(Zxid zxid) const {
  if (zxid == base_) {
    return true;
  }
  const std::size_t index = index_after(zxid);
  return index > 0 && records_[index - 1].entry.zxid == zxid;
}

std::vector<Entry> History::range(Zxid after, Zxid until) const {
  return range(after, until, std::numeric_limits<std::uint64_t>::max(), records_.size());
}

std::vector<Entry> History::range(Zxid after, Zxid until, std::uint64_t bytes,
                                  std::size_t entries) const {
  std::vector<Entry> part;
  std::uint64_t taken = 0;
  for (std::size_t i = index_after(after); i < records_.size() && records_[i].entry.zxid <= until &&
                                           part.size() < entries && taken < bytes;
       ++i) {
    part.push_back(records_[i].entry);
    taken += records_[i].entry.txn->size() + kEntryOverhead;
  }
  return part;
}

std::size_t History::entries_after(Zxid zxid) const {
  return records_.size() - index_after(zxid);
}

std::uint64_t History::bytes_after(Zxid zxid) const {
  const std::size_t index = index_after(zxid);
  if (index == records_.size()) {
    return 0;
  }
  const std::uint64_t own = records_[index].entry.txn->size() + kEntryOverhead;
  return bytes_ - records_[index].bytes_up_to + own;
}

std::vector<Zxid> History::epoch_ends(std::size_t most) const {
  std::vector<Zxid> ends;
  Zxid end = last();
  while (ends.size() < most) {
    ends.push_back(end);
    if (end == base_) {
      break;
    }
    const std::size_t index = index_after(Zxid{end.epoch(), 0});  // first entry of that epoch
    end = index == 0 ? base_ : records_[index - 1].entry.zxid;
  }
  return ends;
}

std::optional<Zxid> History::common_with(std::span<const Zxid> ends) const {
  for (const Zxid theirs : ends) {
    // Ours of the same epoch, no later than theirs.
    const std::size_t index = index_after(theirs);
    const Zxid ours = index == 0 ? base_ : records_[index - 1].entry.zxid;
    if (theirs == ours || (ours.epoch() == theirs.epoch() && ours.counter() > 0 && ours < theirs)) {
      return ours;
    }
    if (theirs < base_) {
      break;
    }
  }
  return std::nullopt;
}

}  // namespace ringside::coord
