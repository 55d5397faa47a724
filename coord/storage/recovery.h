// Reading a data directory: which part of the files is the member's history, and whether something
// that it may have acknowledged is missing (D16).
//
// Called by Storage::recover and coord/rebirth. Pure: it changes nothing on disk. What it finds bad
// costs the history from there on, never an error; errors are for what a person must look at
// (storage.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coord/codec/manifest_codec.h"
#include "coord/storage/disk_port.h"
#include "coord/storage/storage.h"

namespace ringside::coord {

inline constexpr const char* kManifestFile = "manifest";
inline constexpr const char* kManifestTemp = "manifest.tmp";
inline constexpr const char* kPartSuffix = ".part";  // of a snapshot that is being written
std::string log_file(std::uint64_t number);
std::string snapshot_file(const ManifestSnapshot& snapshot);

// Where a record lies; a truncation looks its place up here.
struct RecordMark {
  std::uint64_t segment = 0;
  Zxid first;
  Zxid last;
  std::uint64_t end = 0;     // offset behind it
  std::uint32_t chain = 0;   // value that the next record continues
  std::uint64_t before = 0;  // LogPosition::log_bytes before it
};

// The end of the history and what is needed to write on.
struct LogPosition {
  Zxid last;                      // of the log, or the snapshot's
  std::uint32_t chain = 0;        // at the end of the last record
  std::uint64_t log_bytes = 0;    // in records after what the snapshot holds
  std::vector<RecordMark> marks;  // from the record that holds the commit point on
};

struct DirectoryReading {
  Recovered recovered;
  Manifest manifest;  // corrected: names only what is good, its doubt is set
  LogPosition position;
  // What of the last segment was read and no manifest vouches for. After a sync that failed, it may
  // be in the page cache alone, where a further sync does not look for it: it is written again.
  std::optional<WriteAt> unproven;
  std::vector<std::string> unneeded;  // files of ours that the manifest does not name
  // Snapshots that were being written, and spares: no manifest ever named them.
  std::vector<std::string> leftovers;
};

// Every file of a history's in the directory, whether anything names it or not; not the manifest.
std::vector<std::string> history_files(const DiskImage& image);

// The manifest is replaced as a whole; everything before it in `ops` is durable first, names
// included.
void add_manifest_ops(std::vector<DiskOp>& ops, Bytes manifest);

Result<DirectoryReading> read_directory(const StorageOptions& options, const DiskImage& image);

}  // namespace ringside::coord
