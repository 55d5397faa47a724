#include "coord/driver/snapshot_receiver.h"

#include <memory>

namespace ringside::coord {

SnapshotReceiver::SnapshotReceiver(const SnapshotWanted& wanted, std::uint64_t token,
                                   Storage* storage)
    : wanted_(wanted), token_(token), storage_(storage) {
  if (storage_ != nullptr) {
    file_ = storage_->begin_snapshot(wanted_.zxid);
  }
}

Status SnapshotReceiver::add(SnapshotChunk chunk) {
  if (failed_) {
    return {};
  }
  if (complete_ || chunk.zxid != wanted_.zxid || chunk.offset != received_) {
    return fail(ErrorCode::kInvalid, "snapshot chunks that do not fit together");
  }
  if (Status status = loader_.add(chunk.bytes); !status) {
    return status;
  }
  received_ += chunk.bytes.size();
  complete_ = chunk.last;
  if (storage_ == nullptr) {
    kept_ = received_;
    return {};
  }
  auto bytes = std::make_shared<const Bytes>(std::move(chunk.bytes));
  writing_.emplace_back(storage_->add_to_snapshot(*file_, std::move(bytes)), received_);
  if (complete_) {
    sealing_ = storage_->seal_snapshot(*file_);
  }
  if (!writing_.back().first) {
    give_up("cannot keep the snapshot: its file cannot be written");
  }
  return {};
}

Status SnapshotReceiver::work(std::size_t nodes) {
  if (!busy()) {
    return {};
  }
  const Result<bool> done = loader_.finish(nodes);
  if (!done) {
    return std::unexpected(done.error());
  }
  if (!*done) {
    return {};
  }
  loaded_ = true;
  registry_ = loader_.take();
  if (registry_->applied() != wanted_.zxid || registry_->scoped() != (storage_ == nullptr)) {
    return fail(ErrorCode::kInvalid, "a snapshot that is not what was announced");
  }
  return {};
}

bool SnapshotReceiver::on_disk_done(DiskBatchId id, const Status& status) {
  if (sealing_ == id) {
    sealing_.reset();
    sealed_ = status.has_value();
  } else if (!writing_.empty() && writing_.front().first == id) {
    kept_ = writing_.front().second;
    writing_.pop_front();
  } else {
    return false;
  }
  if (!status) {
    give_up("cannot keep the snapshot: " + status.error().message);
  }
  return true;
}

void SnapshotReceiver::give_up(std::string reason) {
  if (!failed_) {
    failed_ = std::move(reason);
  }
  drop_file();
}

void SnapshotReceiver::drop_file() {
  if (file_) {
    storage_->drop_snapshot(*file_);
    file_.reset();
  }
}

bool SnapshotReceiver::whole() const {
  return loaded_ && !failed_ && (storage_ == nullptr || sealed_);
}

std::optional<SnapshotAck> SnapshotReceiver::take_ack() {
  // The end of it is acknowledged with the whole.
  if (failed_ || kept_ == told_ || (complete_ && kept_ == received_ && !whole())) {
    return std::nullopt;
  }
  told_ = kept_;
  return SnapshotAck{wanted_.zxid, kept_};
}

}  // namespace ringside::coord
