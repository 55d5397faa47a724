// Carries out what the step machines want, in their order.
#include <fmt/format.h>

#include "config/base/check.h"
#include "coord/codec/txn_codec.h"
#include "coord/driver/kept_log.h"
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

void Driver::State::perform(const AppendLog& effect) {
  disk_work.emplace_back(storage->append(effect.entries, effect.commit, effect.acknowledged),
                         effect.id);
}

void Driver::State::perform(const SaveEpochs& effect) {
  disk_work.emplace_back(storage->save_epochs(effect.birth, effect.accepted, effect.current),
                         effect.id);
}

void Driver::State::perform(const SwitchHistory& effect) {
  NewHistory history{.snapshot = std::nullopt,
                     .keep_until = effect.keep_until,
                     .entries = effect.entries,
                     .commit_point = effect.commit,
                     .birth = effect.birth,
                     .accepted_epoch = effect.accepted,
                     .current_epoch = effect.current};
  if (effect.snapshot) {
    CHECK(incoming && incoming->token() == effect.snapshot->token && incoming->whole());
    incoming->begin_switch();
    history.snapshot = incoming->file();
    drop_own_snapshot();  // of a tree that goes
  }
  disk_work.emplace_back(storage->switch_history(std::move(history)), effect.id);
}

void Driver::State::perform(const Deliver& effect) {
  for (const Entry& entry : effect.entries) {
    if (!apply(entry)) {
      return;
    }
  }
  if (zab) {
    zab->keep_log(kept_log_bytes(registry.znodes(), last_snapshot_bytes));
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

}  // namespace ringside::coord
