// Batches of the log's lane on their way to the port: each waits, in order, until the blocks that
// it writes to are taken (room.h). So a full disk delays and never fails what the member has begun.
// Part of Storage; included by the room's sources only. Pure.
//
// One kind overtakes the others: the adoption of a snapshot, as what it lets go of may be the room
// that they wait for. It is laid upon what was handed to the port before (`sent`), so it promises
// nothing that waits; and every manifest that waits is made anew with the adoption in it, so that
// none takes it back.
//
// Bounded by what Zab leaves outstanding: it stops proposing and acknowledging while its disk work
// is not done.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "coord/codec/manifest_codec.h"
#include "coord/storage/disk_port.h"
#include "coord/storage/room.h"

namespace ringside::coord {

// The blocks that a batch writes to.
struct Needs {
  std::string segment;  // begins this one in a spare...
  std::uint64_t segment_bytes = 0;
  std::string open;                  // ...or goes on in this one
  std::uint64_t manifest_bytes = 0;  // 0: writes none
};

class Outbox {
 public:
  Outbox(DiskPort& port, Room& room) : port_(port), room_(room) {}

  // `after`: the manifest in force once it is done.
  void push(DiskBatchId id, std::vector<DiskOp> ops, Needs needs, const Manifest& after);
  // Before all that waits. `changed`: what the batch does to the manifest in force, as `sent` has
  // it then; it is done to those that wait too.
  void push_first(DiskBatchId id, std::vector<DiskOp> ops, const Manifest& after,
                  const std::function<void(Manifest&)>& changed);
  // In force once all that was handed to the port is done; begin_with() says what it is before
  // that.
  [[nodiscard]] const Manifest& sent() const { return sent_; }
  void begin_with(const Manifest& manifest) { sent_ = manifest; }
  // Submits what need not wait any more.
  void release();
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    DiskBatch batch;
    Needs needs;
    Manifest after;
  };
  bool ready(const Needs& needs);
  void place(std::vector<DiskOp>& ops, const Needs& needs);

  DiskPort& port_;
  Room& room_;
  std::deque<Waiting> waiting_;
  Manifest sent_;
};

}  // namespace ringside::coord
