#include "coord/storage/outbox.h"

#include <utility>

#include "coord/storage/recovery.h"

namespace ringside::coord {

void Outbox::push(DiskBatchId id, std::vector<DiskOp> ops, Needs needs) {
  waiting_.push_back({{id, std::move(ops), DiskLane::kLog}, std::move(needs)});
  release();
}

void Outbox::release() {
  while (!waiting_.empty() && ready(waiting_.front().needs)) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    place(next.batch.ops, next.needs);
    port_.submit(std::move(next.batch));
  }
}

bool Outbox::ready(const Needs& needs) {
  return (needs.open.empty() || room_.has_open(needs.open)) &&
         (needs.segment.empty() || room_.has_segment(needs.segment_bytes)) &&
         (needs.manifest_bytes == 0 || room_.has_manifest(needs.manifest_bytes));
}

// Spares take the place of the files that the batch would create.
void Outbox::place(std::vector<DiskOp>& ops, const Needs& needs) {
  for (DiskOp& op : ops) {
    const auto* create = std::get_if<CreateFile>(&op);
    if (create == nullptr) {
      continue;
    }
    const std::string file = create->file;
    if (file == needs.segment) {
      op = RenameFile{room_.take_segment(), file};
    } else if (file == kManifestTemp) {
      op = RenameFile{room_.take_manifest(), file};
    }
  }
}

}  // namespace ringside::coord
