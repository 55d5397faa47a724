// Builds a DataTree from nodes that come in any order, in slices. Used by SnapshotLoader; the
// records are untrusted. One owner, one thread.
//
//   add     a node by itself, which knows its parent by number only
//   finish  link: each under its parent   walk: paths, index, digests, from the root down
//           owners: the ephemerals of each session, in their order
//
// What the walk does not meet hangs on itself: there is no other way to be linked and not below
// the root. The tree is fit for use once finish() gave true; its digests are then those of what it
// holds.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/base/error.h"
#include "coord/registry/data_tree.h"
#include "coord/registry/snapshot_format.h"

namespace ringside::coord {

class TreeBuilder {
 public:
  // Into a fresh tree. `scoped`: the scope alone, so that the root keeps nothing.
  // `session_known` is asked in the end, unless scoped.
  TreeBuilder(DataTree& tree, bool scoped, std::function<bool(SessionId)> session_known)
      : tree_(tree), scoped_(scoped), session_known_(std::move(session_known)) {}

  // An error: the node is there already, or nobody could own it.
  Status add(const NodeRecord& record);
  // Works on about `nodes` nodes; true: done. An error: they are no tree.
  Result<bool> finish(std::size_t nodes);
  [[nodiscard]] std::size_t added() const { return added_; }

 private:
  enum class Stage { kLink, kWalk, kOwners, kDone };

  // From the numbers of the snapshot to those of this tree. Pages, so that the memory taken is in
  // proportion to the records, whatever numbers they name.
  class SlotMap {
   public:
    [[nodiscard]] const Slot* find(Slot there) const;  // null: not in it
    bool insert(Slot there, Slot here);                // false: it is in it

   private:
    static constexpr std::uint32_t kPageSlots = 256;
    static constexpr Slot kNone{~std::uint32_t{0}};
    std::vector<std::unique_ptr<Slot[]>> pages_;
  };

  Status link(Slot slot);
  Status walk();
  Status enter(Node& node);
  [[nodiscard]] bool on_to_next();
  Status own();

  DataTree& tree_;
  bool scoped_;
  std::function<bool(SessionId)> session_known_;
  std::size_t added_ = 0;
  SlotMap slots_;
  std::map<std::pair<SessionId, std::uint64_t>, Slot> births_;
  Stage stage_ = Stage::kLink;
  Slot at_;              // linked last, then walked last
  std::string path_;     // of it, while walking; empty: the root
  std::size_t met_ = 0;  // while walking, the root not counted
};

}  // namespace ringside::coord
