#include "coord/storage/room.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/base/check.h"

namespace ringside::coord {

Room::Room(std::uint64_t segment_bytes, SubmitSide submit)
    : segment_bytes_(segment_bytes), submit_(std::move(submit)) {
  segment_.wanted = segment_bytes;
  manifests_.resize(kSpareManifests);
  for (Spare& manifest : manifests_) {
    manifest.wanted = kManifestBytes;
  }
}

void Room::adopt_open(std::string file, std::uint64_t bytes) {
  open_.file = std::move(file);
  open_.wanted = bytes;
  make_all();
}

void Room::forget(const std::string& file) {
  if (open_.file == file) {
    open_.file.clear();
    open_.batch = {};
  }
}

std::vector<Room::Spare*> Room::all() {
  std::vector<Spare*> out;
  for (Spare& manifest : manifests_) {
    out.push_back(&manifest);
  }
  if (!open_.file.empty()) {
    out.push_back(&open_);
  }
  out.push_back(&segment_);
  return out;
}

void Room::make_all() {
  if (waiting_) {
    return;
  }
  for (Spare* const spare : all()) {
    make(*spare);
  }
}

void Room::make(Spare& spare) {
  if (spare.batch || spare.bytes >= spare.wanted) {
    return;
  }
  std::vector<DiskOp> ops;
  if (spare.file.empty()) {
    spare.file = fmt::format("{}{}", kSparePrefix, ++last_number_);
    ops.emplace_back(CreateFile{spare.file});
  }
  spare.asked = spare.wanted;
  ops.emplace_back(AllocateFile{spare.file, spare.asked});
  spare.batch = submit_(std::move(ops));
}

bool Room::has_segment(std::uint64_t bytes) {
  segment_.wanted = std::max(segment_.wanted, bytes);
  make_all();
  return !segment_.batch && segment_.bytes >= bytes;
}

bool Room::has_manifest(std::uint64_t bytes) {
  for (Spare& manifest : manifests_) {
    manifest.wanted = std::max(manifest.wanted, bytes);
  }
  make_all();
  return !manifests_.front().batch && manifests_.front().bytes >= bytes;
}

std::string Room::take_segment() {
  CHECK(segment_.bytes > 0 && !segment_.batch);
  segment_.wanted = segment_bytes_;
  segment_.bytes = 0;
  return std::exchange(segment_.file, {});
}

std::string Room::take_manifest() {
  // The oldest one; its place goes to the end, so that they are used in the order in which they
  // are made.
  Spare& manifest = manifests_.front();
  CHECK(manifest.bytes > 0 && !manifest.batch);
  manifest.bytes = 0;
  std::string file = std::exchange(manifest.file, {});
  manifests_.splice(manifests_.end(), manifests_, manifests_.begin());
  return file;
}

bool Room::all_ready() const {
  const auto ready = [](const Spare& spare) { return spare.bytes >= spare.wanted; };
  return ready(segment_) && std::ranges::all_of(manifests_, ready) && open_.file.empty();
}

bool Room::done(DiskBatchId batch, const Status& status) {
  const auto spares = all();
  const auto found = std::ranges::find(spares, batch, &Spare::batch);
  if (found == spares.end()) {
    return false;
  }
  Spare& spare = **found;
  spare.batch = {};
  if (!status) {
    failed_rounds_ += waiting_ ? 0 : 1;
    waiting_ = true;
    retry_at_.reset();
    std::uint64_t lacking = 0;
    for (const Spare* const one : spares) {
      lacking += one->wanted - std::min(one->wanted, one->bytes);
    }
    // What is no want of room (no descriptor is free, say) may be over in a moment: the member does
    // not make way for that at once.
    const bool full = status.error().code == ErrorCode::kUnavailable;
    if (full || failed_rounds_ >= kFailedRounds) {
      shortage_ = fmt::format(
          "the data directory has no room for what the log needs next, {} bytes are "
          "wanted: {}",
          lacking, status.error().message);
    }
    if (spare.bytes == 0 && &spare != &open_) {  // part of it may have been taken
      submit_({RemoveFile{std::exchange(spare.file, {})}});
    }
    return true;
  }
  failed_rounds_ = 0;
  if (&spare == &open_) {
    open_.file.clear();
  } else {
    spare.bytes = spare.asked;
  }
  make_all();
  if (all_ready()) {
    shortage_.clear();
  }
  return true;
}

void Room::tend(Instant now) {
  if (waiting_ && !retry_at_) {
    retry_at_ = now + kRetryRoom;
  }
  if (waiting_ && now >= *retry_at_) {
    waiting_ = false;
    retry_at_.reset();
  }
  make_all();
  if (!waiting_ && all_ready()) {
    shortage_.clear();  // what lacked blocks may be needed no more
  }
}

Instant Room::next_deadline() const {
  return waiting_ ? retry_at_.value_or(Instant{}) : kNever;
}

}  // namespace ringside::coord
