// The log in memory: every entry since a base, gap-free (D5). What DIFF and TRUNC are computed
// from. Pure; owned by Core.
//
// Two histories of one birth that both hold some zxid are equal up to it: an epoch has one leader,
// and whoever takes entries of that epoch first took the leader's whole history. So the last zxid
// of each epoch is enough to find where two histories part.
//
// Invariants: base() < first entry; each entry follows() the one before; bytes() counts them all.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "coord/zab/types.h"

namespace ringside::coord {

class History {
 public:
  // `snapshot`: what the member's snapshot stands at (Zxid{}: there is none, the log is whole).
  // `log` may begin earlier than that.
  History() = default;
  History(Zxid snapshot, const std::vector<Entry>& log);

  // Needs can_append(entry.zxid).
  void append(Entry entry);
  [[nodiscard]] bool can_append(Zxid zxid) const;
  // Drops what is after `zxid`; needs contains(zxid).
  void truncate_after(Zxid zxid);
  // Everything is replaced by nothing after `base`.
  void reset(Zxid base);
  // Drops the oldest entries, none above `applied`, until both bounds hold.
  void trim(Zxid applied, std::uint64_t keep_bytes, std::size_t keep_entries);

  [[nodiscard]] Zxid base() const { return base_; }
  [[nodiscard]] Zxid last() const { return records_.empty() ? base_ : records_.back().entry.zxid; }
  [[nodiscard]] bool contains(Zxid zxid) const;
  // Whether another member can speak of this zxid as of one of this history: what is before the
  // base was let go of and cannot be looked up.
  [[nodiscard]] bool covers(Zxid zxid) const { return zxid < base_ || contains(zxid); }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  // Entries in (after, until]; `after` below base() gives all from the base on. With a limit: the
  // first of them, at least one, up to about so many bytes.
  [[nodiscard]] std::vector<Entry> range(Zxid after, Zxid until) const;
  [[nodiscard]] std::vector<Entry> range(Zxid after, Zxid until, std::uint64_t bytes,
                                         std::size_t entries) const;
  [[nodiscard]] std::size_t entries_after(Zxid zxid) const;
  [[nodiscard]] std::uint64_t bytes_after(Zxid zxid) const;

  // Last zxid of each epoch, newest first, the base's last.
  [[nodiscard]] std::vector<Zxid> epoch_ends(std::size_t most) const;
  // The last zxid that this history shares with one of those epoch ends; nullopt when it lies
  // before what is held.
  [[nodiscard]] std::optional<Zxid> common_with(std::span<const Zxid> ends) const;

 private:
  struct Record {
    Entry entry;
    std::uint64_t bytes_up_to = 0;  // of all entries ever appended, this one included
  };
  [[nodiscard]] std::size_t index_after(Zxid zxid) const;  // of the first entry > zxid

  Zxid base_;
  std::deque<Record> records_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ringside::coord
