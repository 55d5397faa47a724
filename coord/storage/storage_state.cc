#include "coord/storage/storage_state.h"

#include <algorithm>
#include <utility>

#include "config/base/check.h"
#include "coord/codec/log_format.h"

namespace ringside::coord {

namespace {

DiskOp write_at(const std::string& file, std::uint64_t offset, Bytes bytes) {
  return WriteAt{file, offset, std::make_shared<const Bytes>(std::move(bytes))};
}

}  // namespace

Storage::State::State(StorageOptions storage_options, DiskPort& disk)
    : options(std::move(storage_options)),
      port(disk),
      room(options.segment_bytes,
           [this](std::vector<DiskOp> ops) { return submit_side(std::move(ops), {}); }),
      outbox(disk, room) {}

DiskBatchId Storage::State::submit(std::vector<DiskOp> ops) {
  const DiskBatchId id{++last_batch};
  if (!closed.empty()) {
    after[id].trim = std::exchange(closed, {});
  }
  outbox.push(id, std::move(ops), std::exchange(needs, {}), manifest);
  return id;
}

DiskBatchId Storage::State::submit_first(std::vector<DiskOp> ops, const Manifest& after_it,
                                         const std::function<void(Manifest&)>& changed) {
  const DiskBatchId id{++last_batch};
  outbox.push_first(id, std::move(ops), after_it, changed);
  return id;
}

DiskBatchId Storage::State::submit_side(std::vector<DiskOp> ops, SideWork work) {
  if (ops.empty() || fenced) {
    return DiskBatchId{};
  }
  const DiskBatchId id{++last_batch};
  work.syncs_names = syncs_names(ops);
  side_work.emplace(id, work);
  port.submit({id, std::move(ops), DiskLane::kSide});
  return id;
}

void Storage::State::tidy(const After& files) {
  std::vector<DiskOp> ops;
  for (const std::string& file : files.trim) {
    room.forget(file);
    ops.emplace_back(TrimFile{file});
  }
  for (const std::string& file : files.remove) {
    room.forget(file);
    ops.emplace_back(RemoveFile{file});
  }
  submit_side(std::move(ops), {});
  if (!files.remove.empty()) {
    submit_side({SyncDirectory{}}, {});  // apart: its failure is no precaution's
  }
}

void Storage::State::remove_after(DiskBatchId batch, std::vector<std::string> files) {
  if (!files.empty()) {
    after[batch].remove = std::move(files);
  }
}

DiskOutcome Storage::State::side_done(const SideWork& work, const Status& status) {
  if (!status) {
    if (const auto file = snapshots.failed(work.file)) {
      tidy({{*file}, {}});
    }
    return DiskOutcome::kSideFailed;
  }
  if (snapshots.has_failed(work.file)) {
    return DiskOutcome::kSideFailed;
  }
  if (work.seals) {
    snapshots.sealed(work.file);
  }
  return DiskOutcome::kDone;
}

void Storage::State::replace_manifest(std::vector<DiskOp>& ops) {
  Bytes bytes = encode_manifest(manifest);
  needs.manifest_bytes = bytes.size();
  add_manifest_ops(ops, std::move(bytes));
}

std::uint64_t Storage::State::log_bytes_up_to(Zxid zxid) const {
  const auto later = std::ranges::find_if(
      at.marks, [zxid](const RecordMark& record) { return record.last > zxid; });
  return later == at.marks.end() ? at.log_bytes : later->before;
}

ManifestSnapshot Storage::State::take_snapshot(std::vector<DiskOp>& ops, SnapshotFileId file) {
  const auto whole = snapshots.take(file);
  CHECK(whole.has_value());
  at.log_bytes -= std::min(at.log_bytes, whole->covered);
  for (RecordMark& mark : at.marks) {
    mark.before -= std::min(mark.before, whole->covered);
  }
  ops.emplace_back(RenameFile{whole->part_file, snapshot_file(whole->snapshot)});
  return whole->snapshot;
}

void Storage::State::encode_records(Bytes& out, ManifestSegment& to, std::span<const Entry> entries,
                                    Zxid acknowledged) {
  ByteWriter writer;
  at.chain = append_record(writer, at.chain, at.last, entries, manifest.commit_point, acknowledged);
  at.last = entries.back().zxid;
  to.end += writer.size();
  to.last = at.last;
  at.marks.push_back({to.number, entries.front().zxid, at.last, to.end, at.chain, at.log_bytes});
  at.log_bytes += writer.size();
  if (out.empty()) {
    out = writer.take();
  } else {
    const ByteView record = writer.view();
    out.insert(out.end(), record.begin(), record.end());
  }
}

bool Storage::State::fits_open(std::span<const Entry> entries) const {
  if (manifest.segments.empty() || !manifest.segments.back().open) {
    return false;
  }
  std::uint64_t end = manifest.segments.back().end;
  for (const Entry& entry : entries) {  // at most one record each
    end += kRecordHeaderBytes + sizeof(std::uint32_t) + entry.txn->size();
  }
  return end <= open_bytes;
}

void Storage::State::close_open() {
  if (!manifest.segments.empty() && manifest.segments.back().open) {
    manifest.segments.back().open = false;
    closed.push_back(log_file(manifest.segments.back().number));
  }
}

void Storage::State::begin_segment(std::vector<DiskOp>& ops, std::span<const Entry> entries,
                                   Zxid acknowledged) {
  close_open();
  ManifestSegment segment{manifest.next_file++, at.last, at.chain, kSegmentHeaderBytes, {}, true};
  Bytes bytes =
      encode_segment_header({manifest.birth, segment.number, segment.previous, segment.seed});
  at.chain = chain_of(bytes);
  while (!entries.empty()) {
    const std::size_t run = record_run(entries);
    encode_records(bytes, segment, entries.first(run), acknowledged);
    entries = entries.subspan(run);
  }
  const std::string file = log_file(segment.number);
  needs.segment = file;
  needs.segment_bytes = open_bytes = std::max<std::uint64_t>(bytes.size(), options.segment_bytes);
  ops.emplace_back(CreateFile{file});
  ops.push_back(write_at(file, 0, std::move(bytes)));
  ops.emplace_back(SyncFile{file});
  manifest.segments.push_back(segment);
}

void Storage::State::continue_segment(std::vector<DiskOp>& ops, std::span<const Entry> entries,
                                      Zxid acknowledged) {
  ManifestSegment& segment = manifest.segments.back();
  const std::string file = log_file(segment.number);
  needs.open = file;
  while (!entries.empty()) {
    const std::size_t run = record_run(entries);
    const std::uint64_t offset = segment.end;
    Bytes bytes;
    encode_records(bytes, segment, entries.first(run), acknowledged);
    ops.push_back(write_at(file, offset, std::move(bytes)));
    ops.emplace_back(SyncFile{file});
    entries = entries.subspan(run);
  }
}

std::vector<std::string> Storage::State::drop_segments_from(std::size_t index) {
  std::vector<std::string> files;
  for (std::size_t i = index; i < manifest.segments.size(); ++i) {
    files.push_back(log_file(manifest.segments[i].number));
  }
  manifest.segments.resize(std::min(index, manifest.segments.size()));
  return files;
}

std::vector<std::string> Storage::State::cut(Zxid keep_until) {
  if (keep_until == at.last) {
    return {};
  }
  const auto mark = std::ranges::find_if(at.marks, [&](const RecordMark& record) {
    return record.first <= keep_until && keep_until <= record.last;
  });
  at.last = keep_until;
  if (mark == at.marks.end()) {
    CHECK(!manifest.segments.empty() && manifest.segments.front().previous == keep_until);
    at.chain = manifest.segments.front().seed;
    at.log_bytes = 0;
    at.marks.clear();
    return drop_segments_from(0);
  }
  if (mark + 1 != at.marks.end()) {
    at.log_bytes = (mark + 1)->before;
  }
  mark->last = keep_until;
  at.chain = mark->chain;
  const auto segment =
      std::ranges::find(manifest.segments, mark->segment, &ManifestSegment::number);
  CHECK(segment != manifest.segments.end());
  segment->end = mark->end;
  segment->last = keep_until;
  if (segment->open) {
    close_open();
  }
  const auto index = static_cast<std::size_t>(segment - manifest.segments.begin());
  at.marks.erase(mark + 1, at.marks.end());
  return drop_segments_from(index + 1);
}

void Storage::State::raise_commit_point(Zxid commit_point) {
  manifest.commit_point = std::max(manifest.commit_point, commit_point);
  // What is committed is never cut: only the rest of the log needs its place known.
  const auto needed = std::ranges::find_if(
      at.marks, [&](const RecordMark& mark) { return mark.last >= manifest.commit_point; });
  at.marks.erase(at.marks.begin(), needed);
}

void Storage::State::forget_marks_of_dropped_segments() {
  const std::uint64_t oldest =
      manifest.segments.empty() ? manifest.next_file : manifest.segments.front().number;
  std::erase_if(at.marks, [&](const RecordMark& mark) { return mark.segment < oldest; });
}

}  // namespace ringside::coord
