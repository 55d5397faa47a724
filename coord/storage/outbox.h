// Batches of the log's lane on their way to the port: each waits, in order, until the blocks that
// it writes to are taken (room.h). So a full disk delays and never fails what the member has begun.
// Part of Storage; included by the room's sources only. Pure.
//
// Bounded by what Zab leaves outstanding: it stops proposing and acknowledging while its disk work
// is not done.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

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

  void push(DiskBatchId id, std::vector<DiskOp> ops, Needs needs);
  // Submits what need not wait any more.
  void release();
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    DiskBatch batch;
    Needs needs;
  };
  bool ready(const Needs& needs);
  void place(std::vector<DiskOp>& ops, const Needs& needs);

  DiskPort& port_;
  Room& room_;
  std::deque<Waiting> waiting_;
};

}  // namespace ringside::coord
