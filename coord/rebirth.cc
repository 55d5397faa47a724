#include "coord/rebirth.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "config/base/check.h"
#include "coord/codec/txn_codec.h"
#include "coord/registry/registry.h"
#include "coord/registry/snapshot_cursor.h"
#include "coord/storage/recovery.h"
#include "coord/storage/snapshot_files.h"

namespace ringside::coord {

namespace {

constexpr std::size_t kPartBytes = 1U << 20U;

// The state after everything that was found.
Result<Registry> replay(const Recovered& recovered) {
  Registry registry;
  if (recovered.snapshot) {
    auto loaded = Registry::load(*recovered.snapshot->bytes);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    registry = std::move(*loaded);
  }
  for (const Entry& entry : recovered.log) {
    if (entry.zxid <= registry.applied()) {
      continue;
    }
    const auto txn = decode_txn(*entry.txn);
    const auto applied = txn ? registry.apply(entry.zxid, *txn) : std::unexpected(txn.error());
    if (!applied) {
      return fail(ErrorCode::kCorrupt, fmt::format("cannot apply {}: {}", entry.zxid.to_string(),
                                                   applied.error().message));
    }
  }
  return registry;
}

void move_to_end(std::vector<DiskOp>& ops, std::vector<DiskOp> more) {
  ops.insert(ops.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// The state as a file that `snapshot` names.
void write_state(std::vector<DiskOp>& ops, const Registry& registry, BirthId birth,
                 const ManifestSnapshot& snapshot) {
  SnapshotFiles files;
  const SnapshotFileId id = files.begin(birth, snapshot, ops);
  const auto cursor = registry.begin_snapshot();
  CHECK(cursor != nullptr);
  while (!cursor->done()) {
    move_to_end(ops, files.add(id, std::make_shared<const Bytes>(cursor->next(kPartBytes))));
  }
  move_to_end(ops, files.seal(id));
  files.sealed(id);
  const auto whole = files.take(id);
  ops.emplace_back(RenameFile{whole->part_file, snapshot_file(whole->snapshot)});
}

}  // namespace

Result<Rebirth> rebirth(const StorageOptions& options, const DiskImage& image, BirthId fresh) {
  CHECK(fresh);
  auto reading = read_directory(options, image);
  if (!reading) {
    return std::unexpected(reading.error());
  }
  const Recovered& recovered = reading->recovered;
  const Zxid last = reading->position.last;
  if (last == Zxid{}) {
    return fail(ErrorCode::kNotFound,
                recovered.in_doubt ? "nothing of its history can be read: " + recovered.doubt_reason
                                   : "it holds no transaction: a new ring needs no recovery");
  }
  const auto registry = replay(recovered);
  if (!registry) {
    return std::unexpected(registry.error());
  }
  if (registry->applied() != last) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("the log ends at {} and its state at {}", last.to_string(),
                            registry->applied().to_string()));
  }
  Rebirth out;
  out.birth = recovered.birth;
  out.accepted_epoch = recovered.accepted_epoch;
  out.current_epoch = recovered.current_epoch;
  out.last = last;
  out.commit_point = recovered.commit_point;
  out.beyond_committed = static_cast<std::uint64_t>(std::ranges::count_if(
      recovered.log, [&](const Entry& entry) { return entry.zxid > recovered.commit_point; }));
  out.doubt = recovered.doubt_reason;
  out.znodes = registry->znodes();
  out.sessions = registry->session_count();

  Manifest manifest = std::move(reading->manifest);
  manifest.birth = fresh;
  manifest.doubt.clear();
  manifest.commit_point = last;
  manifest.segments.clear();
  manifest.snapshot = ManifestSnapshot{last, manifest.next_file++};
  write_state(out.ops, *registry, fresh, *manifest.snapshot);
  add_manifest_ops(out.ops, encode_manifest(manifest));
  for (const std::string& file : history_files(image)) {
    out.ops.emplace_back(RemoveFile{file});
  }
  out.ops.emplace_back(SyncDirectory{});
  return out;
}

std::string describe(const Rebirth& found) {
  std::string out =
      fmt::format("history of birth {:#x} up to {}, {} znodes and {} sessions\n", found.birth.value,
                  found.last.to_string(), found.znodes, found.sessions);
  out += found.beyond_committed == 0
             ? fmt::format("all of it is known to be committed\n")
             : fmt::format("committed for sure up to {}; the {} after it become true now\n",
                           found.commit_point.to_string(), found.beyond_committed);
  if (!found.doubt.empty()) {
    out += fmt::format("this directory is damaged, and what it lost stays lost: {}\n", found.doubt);
  }
  return out;
}

}  // namespace ringside::coord
