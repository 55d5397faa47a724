// Carries out what the step machines want, in their order.
#include <fmt/format.h>

#include <algorithm>

#include "config/base/check.h"
#include "coord/codec/txn_codec.h"
#include "coord/driver/state.h"

namespace ringside::coord {

namespace {

LogSeverity severity_of(Weight weight) {
  switch (weight) {
    case Weight::kDebug: return LogSeverity::kDebug;
    case Weight::kInfo: return LogSeverity::kInfo;
    case Weight::kWarn: return LogSeverity::kWarn;
    case Weight::kError: return LogSeverity::kError;
  }
  return LogSeverity::kError;
}

}  // namespace

void Driver::State::perform(Effects effects) {
  for (const Effect& effect : effects) {
    if (fenced) {
      return;
    }
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
}

void Driver::State::perform(const SendSnapshot& effect) {
  const Bytes bytes = registry.snapshot();
  for (SnapshotChunk& chunk : split_snapshot(registry.applied(), bytes)) {
    send(effect.to, Envelope{effect.run, std::move(chunk)});
  }
}

void Driver::State::perform(const AppendLog& effect) {
  if (later(effect)) {
    return;
  }
  disk_work.emplace_back(storage->append(effect.entries, effect.commit, effect.acknowledged),
                         effect.id);
}

void Driver::State::perform(const SaveEpochs& effect) {
  if (later(effect)) {
    return;
  }
  disk_work.emplace_back(storage->save_epochs(effect.birth, effect.accepted, effect.current),
                         effect.id);
}

void Driver::State::perform(const SwitchHistory& effect) {
  if (later(effect)) {
    return;
  }
  if (!effect.snapshot) {
    switch_history(effect, std::nullopt);
    return;
  }
  if (own_snapshot) {  // the one that comes is newer
    storage->drop_snapshot(own_snapshot->file);
    own_snapshot.reset();
  }
  switch_snapshot = write_snapshot(effect.snapshot->zxid, *effect.snapshot->bytes);
  persist_later.emplace_back(effect);
}

// True: it follows a switch of history that waits for its snapshot file.
bool Driver::State::later(const Effect& effect) {
  if (switch_snapshot) {
    persist_later.push_back(effect);
  }
  return switch_snapshot.has_value();
}

void Driver::State::switch_history(const SwitchHistory& effect,
                                   std::optional<SnapshotFileId> snapshot) {
  NewHistory history{.snapshot = snapshot,
                     .keep_until = effect.keep_until,
                     .entries = effect.entries,
                     .commit_point = effect.commit,
                     .birth = effect.birth,
                     .accepted_epoch = effect.accepted,
                     .current_epoch = effect.current};
  disk_work.emplace_back(storage->switch_history(std::move(history)), effect.id);
}

SnapshotWork Driver::State::write_snapshot(Zxid zxid, ByteView bytes) {
  SnapshotWork work{storage->begin_snapshot(zxid), {}};
  while (!bytes.empty()) {
    const ByteView part = bytes.first(std::min(bytes.size(), kSnapshotSyncBytes));
    storage->add_to_snapshot(work.file, std::make_shared<const Bytes>(part.begin(), part.end()));
    bytes = bytes.subspan(part.size());
  }
  work.waits_for = storage->seal_snapshot(work.file);
  return work;
}

// A batch is done that one of the snapshots waited for.
void Driver::State::snapshot_step(DiskBatchId id) {
  if (switch_snapshot && switch_snapshot->waits_for == id) {
    const SnapshotFileId file = switch_snapshot->file;
    switch_snapshot.reset();
    Effects effects = std::exchange(persist_later, {});
    switch_history(std::get<SwitchHistory>(effects.front()), file);
    effects.erase(effects.begin());
    perform(std::move(effects));
  } else if (own_snapshot && own_snapshot->waits_for == id) {
    if (own_snapshot->adopting) {
      own_snapshot.reset();
      return;
    }
    const Zxid keep_from{zab->history().base().packed + 1};
    own_snapshot->waits_for = storage->adopt_snapshot(own_snapshot->file, keep_from);
    own_snapshot->adopting = true;
  }
}

void Driver::State::snapshot_failed(DiskBatchId id, const Error& error) {
  if (switch_snapshot && switch_snapshot->waits_for == id) {
    // The ring's history cannot be written here.
    fence(error);
  } else if (own_snapshot && own_snapshot->waits_for == id) {
    ports.log(LogSeverity::kWarn, "no snapshot was taken: " + error.message);
    storage->drop_snapshot(own_snapshot->file);
    own_snapshot.reset();
  }
}

void Driver::State::perform(const InstallSnapshot& effect) {
  if (staged && staged->first == effect.snapshot.bytes) {
    registry = std::move(staged->second);
  } else {
    // Another one came in between. These bytes were read once before they got here.
    Result<Registry> loaded = Registry::load(*effect.snapshot.bytes);
    CHECK(loaded.has_value());
    registry = std::move(*loaded);
  }
  staged.reset();
  digests.reset({registry.applied(), registry.digest()});
  ports.reloaded(registry.applied());
}

void Driver::State::perform(const Deliver& effect) {
  for (const Entry& entry : effect.entries) {
    if (!apply(entry)) {
      return;
    }
  }
}

// False: fenced.
bool Driver::State::apply(const Entry& entry) {
  const Result<Txn> txn = decode_txn(*entry.txn);
  Result<Applied> applied = txn ? registry.apply(entry.zxid, *txn) : std::unexpected(txn.error());
  if (!applied) {  // D13
    fence({ErrorCode::kCorrupt,
           fmt::format("cannot apply {}: {}", entry.zxid.to_string(), applied.error().message)});
    return false;
  }
  if (const auto differs = digests.applied({entry.zxid, registry.digest()})) {
    fence({ErrorCode::kCorrupt,
           fmt::format("the tree of {} has digest {:#x} here and another one at the leader",
                       differs->zxid.to_string(), differs->value)});
    return false;
  }
  if (starting) {
    return true;
  }
  ports.applied(entry.zxid, applied->changes);
  for (const WatchEvent& event : watches.fire(entry.zxid, applied->changes)) {
    ports.watch_event(event);
  }
  note_applied(entry.zxid, *txn);
  if (txn->origin.member == options.self) {
    reply(txn->origin.request, std::move(applied->reply));
  }
  return true;
}

void Driver::State::reply(RequestId ring, Reply answer) {
  if (const auto local = requests.take(ring)) {
    ports.reply(*local, std::move(answer));
  }
}

void Driver::State::perform(const CloseLink& effect) {
  ports.close_link(effect.peer, effect.reason);
}

void Driver::State::perform(const ReignBegan& effect) {
  reign = effect;
  ports.log(LogSeverity::kInfo,
            fmt::format("{} {} in epoch {}", leads() ? "leading as" : "following",
                        effect.leader.value, effect.epoch.value));
  if (leads()) {
    begin_reign();
  }
}

void Driver::State::perform(const ReignEnded&) {
  reign.reset();
  end_reign();
  touches.clear();  // a new leader gives everybody a full timeout
  for (const RequestId local : requests.take_all()) {
    Reply answer;
    answer.error = ZkError::kConnectionLoss;  // it may have been done, or be done later
    answer.zxid = view();
    ports.reply(local, std::move(answer));
  }
}

void Driver::State::perform(const Say& effect) {
  ports.log(severity_of(effect.weight), effect.message);
}

void Driver::State::save_snapshot_if_due() {
  if (own_snapshot || switch_snapshot || storage->log_bytes() <= options.snapshot_after_bytes) {
    return;
  }
  own_snapshot = write_snapshot(registry.applied(), registry.snapshot());
}

}  // namespace ringside::coord
