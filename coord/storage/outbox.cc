#include "coord/storage/outbox.h"

#include <utility>

#include "coord/storage/recovery.h"

namespace ringside::coord {

namespace {

// The manifest that a batch writes becomes another one.
void write_anew(std::vector<DiskOp>& ops, Needs& needs, const Manifest& manifest) {
  for (DiskOp& op : ops) {
    auto* write = std::get_if<WriteAt>(&op);
    if (write != nullptr && write->file == kManifestTemp) {
      write->bytes = std::make_shared<const Bytes>(encode_manifest(manifest));
      needs.manifest_bytes = write->bytes->size();
    }
  }
}

}  // namespace

void Outbox::push(DiskBatchId id, std::vector<DiskOp> ops, Needs needs, const Manifest& after) {
  waiting_.push_back({{id, std::move(ops), DiskLane::kLog}, std::move(needs), after});
  release();
}

void Outbox::push_first(DiskBatchId id, std::vector<DiskOp> ops, const Manifest& after,
                        const std::function<void(Manifest&)>& changed) {
  for (Waiting& later : waiting_) {
    changed(later.after);
    write_anew(later.batch.ops, later.needs, later.after);
  }
  Waiting first{{id, std::move(ops), DiskLane::kLog}, {}, after};
  write_anew(first.batch.ops, first.needs, after);
  waiting_.push_front(std::move(first));
  release();
}

void Outbox::release() {
  while (!waiting_.empty() && ready(waiting_.front().needs)) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    place(next.batch.ops, next.needs);
    sent_ = std::move(next.after);
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
