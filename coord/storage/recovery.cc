#include "coord/storage/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "coord/codec/log_format.h"
#include "coord/codec/snapshot_file.h"
#include "coord/storage/room.h"

namespace ringside::coord {

namespace {

constexpr std::string_view kLogPrefix = "log.";
constexpr std::string_view kSnapshotPrefix = "snap.";
constexpr std::string_view kSpare = kSparePrefix;

bool is_leftover(std::string_view name) {
  const bool part = name.starts_with(kSnapshotPrefix) && name.ends_with(kPartSuffix);
  const std::string_view number = name.substr(std::min(name.size(), kSpare.size()));
  return part || (name.starts_with(kSpare) && !number.empty() &&
                  number.find_first_not_of("0123456789") == std::string_view::npos);
}

// The number that a file of ours carries behind its last '.' or '-'; nullopt for other files.
std::optional<std::uint64_t> file_number(std::string_view name) {
  const bool ours = name.starts_with(kLogPrefix) || name.starts_with(kSnapshotPrefix);
  const std::size_t mark = name.find_last_of(".-");
  if (!ours || mark == std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + mark + 1, end, number);
  return error == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

std::vector<std::string> file_names(const DiskImage& image) {
  std::vector<std::string> names = image.unreadable;
  for (const auto& [name, bytes] : image.files) {
    names.push_back(name);
  }
  return names;
}

const Bytes* find_file(const DiskImage& image, const std::string& name) {
  const auto found = image.files.find(name);
  return found == image.files.end() ? nullptr : &found->second;
}

// One reading of one directory.
class Reader {
 public:
  Reader(const DiskImage& image, DirectoryReading& out) : image_(image), out_(out) {}

  Status run() {
    if (auto status = read_snapshot(); !status) {
      return status;
    }
    if (auto status = read_segments(); !status) {
      return status;
    }
    settle();
    return {};
  }

 private:
  void doubt(std::string reason) {
    if (out_.manifest.doubt.empty()) {
      out_.manifest.doubt = std::move(reason);
    }
  }

  Status read_snapshot() {
    if (!out_.manifest.snapshot) {
      return {};
    }
    const std::string name = snapshot_file(*out_.manifest.snapshot);
    const Bytes* const file = find_file(image_, name);
    if (file == nullptr) {
      drop_snapshot(fmt::format("{} is missing or unreadable", name));
      return {};
    }
    auto read = decode_snapshot_file(*file);
    if (!read && read.error().code == ErrorCode::kUnsupported) {
      return fail(ErrorCode::kUnsupported, fmt::format("{}: {}", name, read.error().message));
    }
    if (!read || read->zxid != out_.manifest.snapshot->zxid ||
        (read->birth && read->birth != out_.manifest.birth)) {
      drop_snapshot(
          fmt::format("{}: {}", name, read ? "of another history" : read.error().message));
      return {};
    }
    out_.recovered.snapshot = StoredSnapshot{
        read->zxid, std::make_shared<const Bytes>(read->state.begin(), read->state.end())};
    return {};
  }

  void drop_snapshot(std::string reason) {
    doubt(std::move(reason));
    out_.manifest.snapshot.reset();
  }

  [[nodiscard]] Zxid base() const {
    return out_.recovered.snapshot ? out_.recovered.snapshot->zxid : Zxid{};
  }

  Status read_segments() {
    std::vector<ManifestSegment> segments = std::exchange(out_.manifest.segments, {});
    for (const ManifestSegment& segment : segments) {
      if (out_.manifest.segments.empty() && segment.previous > base()) {
        // Without the snapshot that it stood on, or the damaged segment before, there is a gap.
        doubt(fmt::format("nothing leads up to {}", log_file(segment.number)));
        return {};
      }
      auto good = read_segment(segment);
      if (!good) {
        return std::unexpected(good.error());
      }
      if (*good) {
        continue;
      }
      if (segment.open || segment.last > base()) {
        doubt(damage_);
        return {};
      }
      // Everything in it is in the snapshot too: the log just begins later.
      out_.manifest.segments.clear();
      out_.recovered.log.clear();
      out_.position.marks.clear();
    }
    return {};
  }

  // True: all that the manifest promises of it is there. Otherwise what is good of it was taken and
  // damage_ says what was wrong.
  Result<bool> read_segment(const ManifestSegment& segment) {
    const std::string name = log_file(segment.number);
    const Bytes* const file = find_file(image_, name);
    if (file == nullptr) {
      damage_ = fmt::format("{} is missing or unreadable", name);
      return false;
    }
    const auto head = decode_segment_header(*file);
    if (!head && head.error().code == ErrorCode::kUnsupported) {
      return fail(ErrorCode::kUnsupported, fmt::format("{}: {}", name, head.error().message));
    }
    if (!head || head->header.birth != out_.manifest.birth ||
        head->header.number != segment.number || head->header.previous != segment.previous ||
        head->header.seed != segment.seed ||
        (!out_.manifest.segments.empty() && segment.seed != out_.position.chain)) {
      damage_ = fmt::format("{}: {}", name, head ? "of another history" : head.error().message);
      return false;
    }
    return read_records(segment, name, *file, head->chain);
  }

  bool read_records(const ManifestSegment& segment, const std::string& name, ByteView file,
                    std::uint32_t chain) {
    const ByteView counted =
        segment.open ? file : file.first(std::min<std::size_t>(file.size(), segment.end));
    ManifestSegment found = segment;
    found.end = kSegmentHeaderBytes;
    found.last = segment.previous;
    bool whole = true;
    while (found.end < counted.size()) {
      RecordRead read = read_record(counted, found.end, chain, found.last);
      if (read.state != RecordState::kGood) {
        whole = judge_tail(counted, found, segment, name, read.state);
        found.open = false;  // nothing is written behind a bad tail: the next segment begins
        break;
      }
      if (!segment.open && read.record.header.first > segment.last) {
        break;  // the manifest's word on where it ends falls between two records
      }
      chain = read.record.chain;
      found.end += read.record.bytes;
      take(read.record, found, segment);
    }
    if (whole && (found.end < segment.end || found.last < segment.last)) {
      damage_ = fmt::format("{} ends at byte {}, before what was durable", name, found.end);
      whole = false;
    }
    found.open = found.open && whole;
    if (found.last > segment.previous) {
      out_.manifest.segments.push_back(found);
      out_.position.chain = chain;
    }
    if (segment.open && found.end > segment.end) {
      const ByteView bytes = file.subspan(segment.end, found.end - segment.end);
      out_.unproven =
          WriteAt{name, segment.end, std::make_shared<const Bytes>(bytes.begin(), bytes.end())};
    }
    return whole;
  }

  void take(Record& record, ManifestSegment& found, const ManifestSegment& segment) {
    const Zxid last =
        segment.open ? record.header.last() : std::min(record.header.last(), segment.last);
    found.last = last;
    out_.position.marks.push_back({segment.number, record.header.first, last, found.end,
                                   record.chain, out_.position.log_bytes});
    if (last > base()) {
      out_.position.log_bytes += record.bytes;
    }
    commit_point_ = std::max(commit_point_, record.header.commit_point);
    acknowledged_ = std::max(acknowledged_, record.header.acknowledged);
    for (Entry& entry : record.entries) {
      if (entry.zxid <= last) {
        out_.recovered.log.push_back(std::move(entry));
      }
    }
  }

  // True: the bad tail at found.end is a write that never completed, so nothing in it was
  // acknowledged.
  bool judge_tail(ByteView file, const ManifestSegment& found, const ManifestSegment& segment,
                  const std::string& name, RecordState state) {
    const auto later = find_record(file, found.end + 1);
    if (later) {
      acknowledged_ = std::max(acknowledged_, later->acknowledged);
      damage_ = fmt::format("{} is damaged at byte {}, before good records", name, found.end);
      return false;
    }
    if (state == RecordState::kDamaged || found.end < segment.end || !segment.open) {
      damage_ = fmt::format("{} is damaged at byte {}", name, found.end);
      return false;
    }
    return true;
  }

  // Brings epochs, bounds and log in line with what was found.
  void settle() {
    Recovered& result = out_.recovered;
    out_.position.last = base();
    if (!result.log.empty()) {
      if (result.log.back().zxid >= base()) {
        out_.position.last = result.log.back().zxid;
      } else {  // the part that led up to the snapshot is lost, or nothing follows it
        result.log.clear();
        out_.position.marks.clear();
        out_.position.log_bytes = 0;
        out_.manifest.segments.clear();
      }
    }
    const Zxid last = out_.position.last;
    if (acknowledged_ > last) {
      doubt(fmt::format("the log ends at {}, {} was acknowledged", last.to_string(),
                        acknowledged_.to_string()));
    }
    Manifest& manifest = out_.manifest;
    commit_point_ = std::max({commit_point_, manifest.commit_point, base()});
    manifest.commit_point = std::min(commit_point_, last);
    if (!manifest.doubt.empty()) {
      // A shortened history must not win by the epoch that only the whole one had reached.
      manifest.current_epoch = std::min(manifest.current_epoch, last.epoch());
    }
  }

  const DiskImage& image_;
  DirectoryReading& out_;
  std::string damage_;
  Zxid commit_point_;
  Zxid acknowledged_;
};

// Also what is left when there is no manifest to go by.
void begin_empty(const StorageOptions& options, DirectoryReading& out, std::string doubt) {
  out.manifest.ring_name = options.ring_name;
  out.manifest.member = options.member;
  out.manifest.doubt = std::move(doubt);
}

Status check_owner(const StorageOptions& options, const Manifest& manifest) {
  if (manifest.ring_name != options.ring_name) {
    return fail(ErrorCode::kRefused, fmt::format("the data directory belongs to the ring \"{}\", "
                                                 "not \"{}\": point data_dir elsewhere",
                                                 manifest.ring_name, options.ring_name));
  }
  if (manifest.member != options.member) {
    return fail(ErrorCode::kRefused, fmt::format("the data directory belongs to member {}, not {}: "
                                                 "point data_dir elsewhere",
                                                 manifest.member.value, options.member.value));
  }
  return {};
}

void publish(DirectoryReading& out) {
  const Manifest& manifest = out.manifest;
  Recovered& result = out.recovered;
  result.in_doubt = !manifest.doubt.empty();
  result.doubt_reason = manifest.doubt;
  result.birth = manifest.birth;
  result.accepted_epoch = manifest.accepted_epoch;
  result.current_epoch = manifest.current_epoch;
  result.commit_point = manifest.commit_point;
  result.fresh = manifest.current_epoch == Epoch{} && !result.in_doubt;
}

void list_unneeded(const std::vector<std::string>& names, DirectoryReading& out) {
  std::vector<std::string> named;
  for (const ManifestSegment& segment : out.manifest.segments) {
    named.push_back(log_file(segment.number));
  }
  if (out.manifest.snapshot) {
    named.push_back(snapshot_file(*out.manifest.snapshot));
  }
  for (const std::string& name : names) {
    if (file_number(name).has_value() && std::ranges::find(named, name) == named.end()) {
      out.unneeded.push_back(name);
    }
  }
}

}  // namespace

std::string log_file(std::uint64_t number) {
  return fmt::format("{}{:08}", kLogPrefix, number);
}

std::string snapshot_file(const ManifestSnapshot& snapshot) {
  return fmt::format("{}{:016x}-{:08}", kSnapshotPrefix, snapshot.zxid.packed, snapshot.number);
}

std::vector<std::string> history_files(const DiskImage& image) {
  std::vector<std::string> names = file_names(image);
  std::erase_if(names, [](const std::string& name) {
    return !is_leftover(name) && !file_number(name).has_value();
  });
  return names;
}

void add_manifest_ops(std::vector<DiskOp>& ops, Bytes manifest) {
  if (!ops.empty()) {
    ops.emplace_back(SyncDirectory{});
  }
  ops.emplace_back(CreateFile{kManifestTemp});
  ops.emplace_back(WriteAt{kManifestTemp, 0, std::make_shared<const Bytes>(std::move(manifest))});
  ops.emplace_back(SyncFile{kManifestTemp});
  ops.emplace_back(RenameFile{kManifestTemp, kManifestFile});
  ops.emplace_back(SyncDirectory{});
}

Result<DirectoryReading> read_directory(const StorageOptions& options, const DiskImage& image) {
  DirectoryReading out;
  std::vector<std::string> names = file_names(image);
  for (const std::string& name : names) {
    if (is_leftover(name)) {
      out.leftovers.push_back(name);
    }
  }
  std::erase_if(names, is_leftover);
  std::uint64_t next_file = 1;
  for (const std::string& name : names) {
    next_file = std::max(next_file, file_number(name).value_or(0) + 1);
  }
  const Bytes* const file = find_file(image, kManifestFile);
  const bool history_left = next_file > 1;
  const bool present = std::ranges::find(names, kManifestFile) != names.end();
  auto manifest = file == nullptr ? fail(ErrorCode::kCorrupt,
                                         present ? "manifest is unreadable" : "no manifest")
                                  : decode_manifest(*file);
  if (!manifest && manifest.error().code == ErrorCode::kUnsupported) {
    return std::unexpected(manifest.error());
  }
  if (!manifest) {
    begin_empty(options, out,
                present        ? manifest.error().message
                : history_left ? "the manifest is lost and other files are there"
                               : "");
    out.manifest.next_file = next_file;
    publish(out);
    return out;
  }
  if (auto owner = check_owner(options, *manifest); !owner) {
    return std::unexpected(owner.error());
  }
  out.manifest = std::move(*manifest);
  out.manifest.next_file = std::max(out.manifest.next_file, next_file);
  Reader reader(image, out);
  if (auto status = reader.run(); !status) {
    return std::unexpected(status.error());
  }
  publish(out);
  if (!out.recovered.in_doubt) {  // else all is kept that a person could still look at
    list_unneeded(names, out);
  }
  return out;
}

}  // namespace ringside::coord
