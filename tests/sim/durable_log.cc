#include "tests/sim/durable_log.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "coord/codec/log_format.h"
#include "coord/storage/storage.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

namespace {

constexpr const char* kLogPrefix = "log.";
constexpr const char* kManifest = "manifest";

class NoDisk : public coord::DiskPort {
 public:
  void submit(coord::DiskBatch /*batch*/) override {}
};

}  // namespace

void DurableLog::written(const coord::WriteAt& write) {
  ByteView rest(*write.bytes);
  if (write.offset == 0) {
    rest = rest.subspan(std::min(rest.size(), coord::kSegmentHeaderBytes));
  }
  while (rest.size() >= coord::kRecordHeaderBytes) {
    ByteReader in(rest);
    static_cast<void>(in.u32());  // magic
    const std::size_t payload = in.u32();
    const coord::Zxid previous{in.u64()};
    const coord::Zxid first{in.u64()};
    const coord::Zxid last{first.packed + in.u32() - 1};
    const auto [known, begins] = written_.try_emplace(write.file, previous);
    if (known->second != previous || !first.follows(previous)) {
      violate("gap: member {} writes {} behind {} to {}, whose last is {}", member_.value,
              first.to_string(), previous.to_string(), write.file, known->second.to_string());
    }
    known->second = last;
    rest = rest.subspan(std::min(rest.size(), coord::kRecordHeaderBytes + payload));
  }
}

void DurableLog::done(const coord::DiskOp& op) {
  if (const auto* write = std::get_if<coord::WriteAt>(&op)) {
    if (write->file.starts_with(kLogPrefix)) {
      written(*write);
    }
  } else if (const auto* create = std::get_if<coord::CreateFile>(&op)) {
    written_.erase(create->file);
    unnamed_.insert(create->file);
  } else if (const auto* sync = std::get_if<coord::SyncFile>(&op)) {
    if (!sync->file.starts_with(kLogPrefix) || unnamed_.contains(sync->file)) {
      return;  // it counts once a manifest names it
    }
    const auto known = written_.find(sync->file);
    if (known == written_.end()) {
      stale_ = true;  // of a process before this one
    } else {
      state_.last = std::max(state_.last, known->second);
    }
  } else if (const auto* rename = std::get_if<coord::RenameFile>(&op)) {
    if (rename->to == kManifest) {
      manifest_renamed_ = true;
    } else if (rename->to.starts_with(kLogPrefix)) {
      unnamed_.insert(rename->to);
    }
  } else if (std::holds_alternative<coord::SyncDirectory>(op)) {
    stale_ = true;
    if (std::exchange(manifest_renamed_, false)) {
      unnamed_.clear();
    }
  }
}

const DurableState& DurableLog::state(const ForgetfulDisk& files) {
  if (std::exchange(stale_, false)) {
    read_anew(files);
  }
  return state_;
}

void DurableLog::read_anew(const ForgetfulDisk& files) {
  NoDisk no_disk;
  coord::Storage storage({.ring_name = ring_name_, .member = member_}, no_disk);
  const auto recovered = storage.recover(files.durable_image());
  if (!recovered) {
    violate("member {} could not start again after a power cut now: {}", member_.value,
            recovered.error().message);
  }
  state_.accepted = recovered->accepted_epoch;
  state_.current = recovered->current_epoch;
  state_.last = recovered->snapshot ? recovered->snapshot->zxid : coord::Zxid{};
  if (!recovered->log.empty()) {
    state_.last = std::max(state_.last, recovered->log.back().zxid);
  }
}

}  // namespace ringside::sim
