#include "coord/storage/storage.h"

#include <algorithm>
#include <utility>

#include "config/base/check.h"
#include "coord/mutant.h"
#include "coord/storage/storage_state.h"

namespace ringside::coord {

namespace {

bool gap_free(Zxid previous, std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    if (!entry.zxid.follows(previous)) {
      return false;
    }
    previous = entry.zxid;
  }
  return true;
}

// D4, D17: epochs never fall, and a history keeps its birth.
void check_promises(const Manifest& manifest, BirthId birth, Epoch accepted, Epoch current) {
  CHECK(accepted >= current);
  CHECK(accepted >= manifest.accepted_epoch);
  CHECK(current >= manifest.current_epoch);
  CHECK(!manifest.birth || birth == manifest.birth);
}

void set_promises(Manifest& manifest, BirthId birth, Epoch accepted, Epoch current) {
  if (current > manifest.current_epoch) {
    manifest.doubt.clear();  // D16: part of a new epoch's history is what heals
  }
  manifest.birth = birth;
  manifest.accepted_epoch = accepted;
  manifest.current_epoch = current;
}

}  // namespace

Storage::Storage(StorageOptions options, DiskPort& port)
    : state_(std::make_unique<State>(std::move(options), port)) {}

Storage::~Storage() = default;

Result<Recovered> Storage::recover(const DiskImage& image) {
  State& state = *state_;
  CHECK(!state.recovered);
  auto reading = read_directory(state.options, image);
  if (!reading) {
    return std::unexpected(reading.error());
  }
  state.recovered = true;
  state.manifest = std::move(reading->manifest);
  state.outbox.begin_with(state.manifest);
  state.at = std::move(reading->position);
  state.raise_commit_point({});
  // A process that was killed leaves bytes and names that no sync has reached, and one whose sync
  // failed bytes that the next sync would take for done: they are made durable before anything is
  // promised by them.
  std::vector<DiskOp> ops;
  if (!state.manifest.segments.empty()) {
    const std::string last = log_file(state.manifest.segments.back().number);
    if (reading->unproven && reading->unproven->file == last && !mutated(Mutant::kD9CacheTrusted)) {
      ops.emplace_back(std::move(*reading->unproven));
    }
    ops.emplace_back(SyncFile{last});
  }
  State::After tidy{std::move(reading->leftovers), {}};
  for (const ManifestSegment& segment : state.manifest.segments) {
    if (!segment.open) {
      tidy.trim.push_back(log_file(segment.number));
    }
  }
  state.tidy(tidy);  // first: it gives room
  if (!state.manifest.segments.empty() && state.manifest.segments.back().open) {
    const ManifestSegment& open = state.manifest.segments.back();
    state.open_bytes = std::max(open.end, state.options.segment_bytes);
    state.room.adopt_open(log_file(open.number), state.open_bytes);
  }
  if (!image.files.empty() || !image.unreadable.empty()) {
    if (image.files.contains(kManifestTemp)) {
      // Here and not in the side lane, where it could go from under the next manifest.
      ops.emplace_back(RemoveFile{kManifestTemp});
    }
    ops.emplace_back(SyncDirectory{});
    state.remove_after(state.submit(std::move(ops)), std::move(reading->unneeded));
  }
  return std::move(reading->recovered);
}

DiskBatchId Storage::save_epochs(BirthId birth, Epoch accepted_epoch, Epoch current_epoch) {
  State& state = *state_;
  CHECK(state.recovered);
  if (state.fenced) {
    return DiskBatchId{};
  }
  check_promises(state.manifest, birth, accepted_epoch, current_epoch);
  set_promises(state.manifest, birth, accepted_epoch, current_epoch);
  std::vector<DiskOp> ops;
  state.replace_manifest(ops);
  return state.submit(std::move(ops));
}

DiskBatchId Storage::append(std::span<const Entry> entries, Zxid commit_point, Zxid acknowledged) {
  State& state = *state_;
  CHECK(state.recovered);
  if (state.fenced) {
    return DiskBatchId{};
  }
  CHECK(!entries.empty());
  CHECK(state.manifest.birth);
  CHECK(gap_free(state.at.last, entries));
  CHECK(entries.back().zxid.epoch() <= state.manifest.current_epoch);
  state.raise_commit_point(std::min(commit_point, entries.back().zxid));
  const Zxid acknowledged_here = std::min(acknowledged, state.at.last);
  std::vector<DiskOp> ops;
  if (state.fits_open(entries)) {
    state.continue_segment(ops, entries, acknowledged_here);
  } else {
    state.begin_segment(ops, entries, acknowledged_here);
    state.replace_manifest(ops);
  }
  return state.submit(std::move(ops));
}

DiskBatchId Storage::switch_history(NewHistory history) {
  State& state = *state_;
  CHECK(state.recovered);
  if (state.fenced) {
    return DiskBatchId{};
  }
  Manifest& manifest = state.manifest;
  check_promises(manifest, history.birth, history.accepted_epoch, history.current_epoch);
  CHECK(history.birth);
  std::vector<std::string> old_files;
  std::vector<DiskOp> ops;
  if (history.snapshot) {
    if (manifest.snapshot) {
      old_files.push_back(snapshot_file(*manifest.snapshot));
    }
    manifest.snapshot = state.take_snapshot(ops, *history.snapshot);
    const auto segments = state.drop_segments_from(0);
    old_files.insert(old_files.end(), segments.begin(), segments.end());
    state.at = LogPosition{manifest.snapshot->zxid, 0, 0, {}};
  } else {
    CHECK(history.keep_until >= manifest.commit_point);  // D7
    CHECK(history.keep_until <= state.at.last);
    if (!mutated(Mutant::kZk5094TruncatedInMemory)) {
      old_files = state.cut(history.keep_until);
    }
  }
  CHECK(gap_free(state.at.last, history.entries));
  const Zxid last = history.entries.empty() ? state.at.last : history.entries.back().zxid;
  CHECK(last >= manifest.commit_point);
  CHECK(last.epoch() <= history.current_epoch);
  set_promises(manifest, history.birth, history.accepted_epoch, history.current_epoch);
  manifest.doubt.clear();
  state.raise_commit_point(std::min(history.commit_point, last));
  if (!history.entries.empty()) {
    // Nothing of the new entries was acknowledged before; what was kept may have been.
    state.begin_segment(ops, history.entries, Zxid{});
  }
  state.replace_manifest(ops);
  const DiskBatchId id = state.submit(std::move(ops));
  state.remove_after(id, std::move(old_files));
  return id;
}

SnapshotFileId Storage::begin_snapshot(Zxid zxid) {
  State& state = *state_;
  CHECK(state.recovered);
  if (state.fenced) {
    return SnapshotFileId{};
  }
  std::vector<DiskOp> ops;
  const SnapshotFileId id = state.snapshots.begin(
      state.manifest.birth, ManifestSnapshot{zxid, state.manifest.next_file++}, ops,
      state.log_bytes_up_to(zxid));
  state.submit_side(std::move(ops), {id, false});
  return id;
}

DiskBatchId Storage::add_to_snapshot(SnapshotFileId file, std::shared_ptr<const Bytes> part) {
  return state_->submit_side(state_->snapshots.add(file, std::move(part)), {file, false});
}

DiskBatchId Storage::seal_snapshot(SnapshotFileId file) {
  return state_->submit_side(state_->snapshots.seal(file), {file, true});
}

void Storage::drop_snapshot(SnapshotFileId file) {
  if (const auto name = state_->snapshots.drop(file)) {
    state_->tidy({{*name}, {}});
  }
}

DiskBatchId Storage::adopt_snapshot(SnapshotFileId file, Zxid keep_entries_from) {
  State& state = *state_;
  CHECK(state.recovered);
  if (state.fenced) {
    return DiskBatchId{};
  }
  CHECK(state.manifest.birth);
  Manifest in_force = state.outbox.sent();  // appends may wait for the room that this gives
  in_force.next_file = state.manifest.next_file;
  std::vector<DiskOp> ops;
  const ManifestSnapshot snapshot = state.take_snapshot(ops, file);
  const Zxid zxid = snapshot.zxid;
  std::vector<std::string> old_files;
  if (in_force.snapshot) {
    CHECK(zxid >= in_force.snapshot->zxid);
    old_files.push_back(snapshot_file(*in_force.snapshot));
  }
  CHECK(zxid <= state.at.last);
  // The open segment stays, so that its blocks are used; a later snapshot lets go of it.
  const auto needed = std::ranges::find_if(in_force.segments, [&](const ManifestSegment& segment) {
    return segment.open || segment.last >= keep_entries_from || segment.last > zxid;
  });
  for (auto segment = in_force.segments.begin(); segment != needed; ++segment) {
    old_files.push_back(log_file(segment->number));
  }
  const std::uint64_t oldest = needed != in_force.segments.end() ? needed->number
                               : in_force.segments.empty()       ? 0
                                                           : in_force.segments.back().number + 1;
  const auto adopt = [&](Manifest& manifest) {
    manifest.snapshot = snapshot;
    manifest.next_file = std::max(manifest.next_file, snapshot.number + 1);
    manifest.commit_point = std::max(manifest.commit_point, zxid);
    std::erase_if(manifest.segments,
                  [oldest](const ManifestSegment& segment) { return segment.number < oldest; });
  };
  adopt(in_force);
  adopt(state.manifest);
  state.raise_commit_point(zxid);
  state.forget_marks_of_dropped_segments();
  add_manifest_ops(ops, encode_manifest(in_force));
  const DiskBatchId id = state.submit_first(std::move(ops), in_force, adopt);
  state.remove_after(id, std::move(old_files));
  return id;
}

DiskOutcome Storage::on_disk_done(DiskBatchId id, const Status& status) {
  State& state = *state_;
  CHECK(id.value <= state.last_batch);
  if (state.fenced) {
    return DiskOutcome::kFenced;
  }
  const auto side = state.side_work.extract(id);
  if (side && !status && ends_port(DiskLane::kSide, side.mapped().syncs_names, status.error())) {
    state.fenced = true;
    return DiskOutcome::kFenced;
  }
  if (side) {
    if (state.room.done(id, status)) {
      state.outbox.release();
      return status ? DiskOutcome::kDone : DiskOutcome::kSideFailed;
    }
    return state.side_done(side.mapped(), status);
  }
  if (!status && !mutated(Mutant::kZk4882FailedWriteGoesOn)) {  // D9
    state.fenced = true;
    return DiskOutcome::kFenced;
  }
  if (const auto files = state.after.extract(id)) {
    state.tidy(files.mapped());
  }
  return DiskOutcome::kDone;
}

void Storage::tend(Instant now) {
  if (state_->recovered && !state_->fenced) {
    state_->room.tend(now);
  }
}

Instant Storage::next_deadline() const {
  return state_->fenced ? kNever : state_->room.next_deadline();
}

std::string Storage::short_of_room() const {
  return state_->room.shortage();
}

bool Storage::fenced() const {
  return state_->fenced;
}

std::uint64_t Storage::log_bytes() const {
  return state_->at.log_bytes;
}

}  // namespace ringside::coord
