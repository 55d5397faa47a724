#include "coord/zab/core.h"

#include <algorithm>
#include <limits>

#include "config/base/check.h"
#include "coord/mutant.h"

namespace ringside::coord {

namespace {

// One append takes at most this much, so that a batch's latency stays bounded.
constexpr std::uint64_t kMaxAppendBytes = 8ULL << 20U;

}  // namespace

Core::Core(ZabOptions settings, ZabStart start, Rng random, Instant start_time)
    : options(std::move(settings)),
      rng(random),
      now(start_time),
      birth(start.birth),
      accepted(start.accepted),
      current(start.current),
      in_doubt((start.in_doubt || !start.birth) && !mutated(Mutant::kZk2325EmptyDiskVotes)),
      history(start.snapshot, start.log),
      commit(std::max(start.commit, start.snapshot)),
      applied(start.snapshot),
      // Runs of an earlier process of this member must not match ours.
      run_(rng() >> 16U),
      durable_(history.last()),
      written_(history.last()) {}

void Core::leave(std::string reason) {
  if (!leaving) {
    leaving = std::move(reason);
  }
}

void Core::send(MemberId to, Message message, std::uint64_t run) {
  effects.emplace_back(Send{to, Envelope{run, std::move(message)}});
}

void Core::say(Weight weight, std::string message) {
  effects.emplace_back(Say{weight, std::move(message)});
}

void Core::close(MemberId peer, std::string reason) {
  effects.emplace_back(CloseLink{peer, std::move(reason)});
}

void Core::notify_all(const Notification& notification) {
  for (const auto& [id, peer] : peers) {
    send(id, notification);
  }
}

Credentials Core::credentials() const {
  const bool from_memory = mutated(Mutant::kZk2845VoteFromMemory);
  return {current, from_memory ? applied : durable_, !resigned && aside.empty(), options.self};
}

bool Core::is_voter(MemberId id) const {
  return std::ranges::find(options.voters, id) != options.voters.end();
}

PersistId Core::push(Pending pending) {
  pending.id = PersistId{++last_persist_};
  pending.run = run_;
  pending_.push_back(std::move(pending));
  return pending_.back().id;
}

void Core::save_epochs(BirthId new_birth, Epoch new_accepted, Epoch new_current) {
  CHECK(new_accepted >= accepted && new_current >= current && new_accepted >= new_current);
  // A member in doubt writes nothing before a whole history: the manifest must not make it look
  // sound (D16).
  CHECK(!in_doubt);
  const PersistId id = push({.id = {},
                             .kind = PersistKind::kEpochs,
                             .run = 0,
                             .durable = {},
                             .birth = new_birth,
                             .accepted = new_accepted,
                             .current = new_current,
                             .snapshot = {}});
  effects.emplace_back(SaveEpochs{id, new_birth, new_accepted, new_current});
}

void Core::switch_history(std::optional<SnapshotData> snapshot, Zxid keep_until,
                          std::vector<Entry> entries, BirthId new_birth, Epoch epoch) {
  if (snapshot) {
    history.reset(snapshot->zxid);
    commit = std::max(commit, snapshot->zxid);
  } else {
    CHECK(keep_until >= applied);  // D7
    history.truncate_after(keep_until);
  }
  for (const Entry& entry : entries) {
    history.append(entry);
  }
  written_ = history.last();
  deliver_more_ = false;  // durable() tells of the history before until this one is on disk
  if (mutated(Mutant::kZk2355AppliedTooEarly)) {
    applied = std::max(applied, std::min(commit, history.last()));
  }
  if (mutated(Mutant::kZk3911AckBeforeDurable) && !snapshot) {
    durable_ = history.last();
    accepted = current = epoch;
  }
  if (mutated(Mutant::kZk4643EpochFirst) && !in_doubt) {
    save_epochs(new_birth, epoch, epoch);
  }
  if (mutated(Mutant::kZk4646AckBeforeEntries)) {
    written_ = keep_until;  // the entries go to the disk as if they were proposals
    entries.clear();
  }
  const PersistId id = push({.id = {},
                             .kind = PersistKind::kSwitch,
                             .run = 0,
                             .durable = written_,
                             .birth = new_birth,
                             .accepted = epoch,
                             .current = epoch,
                             .snapshot = snapshot});
  effects.emplace_back(SwitchHistory{id, std::move(snapshot), keep_until, std::move(entries),
                                     std::min(commit, history.last()), new_birth, epoch, epoch});
}

void Core::append_pending() {
  if (written_ == history.last() || !pending_.empty()) {
    return;
  }
  std::vector<Entry> entries = history.range(written_, history.last());
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  while (count < entries.size() && (count == 0 || bytes < kMaxAppendBytes)) {
    bytes += entries[count++].txn->size();
  }
  entries.resize(count);
  written_ = entries.back().zxid;
  const PersistId id = push({.id = {},
                             .kind = PersistKind::kAppend,
                             .run = 0,
                             .durable = written_,
                             .birth = {},
                             .accepted = {},
                             .current = {},
                             .snapshot = {}});
  // Whatever is durable has been, or is being, acknowledged.
  effects.emplace_back(AppendLog{id, std::move(entries), std::min(commit, written_), durable_});
}

void Core::drop_unwritten() {
  if (mutated(Mutant::kZk4712OldRunWrites) && !pending_.empty() &&
      pending_.front().kind == PersistKind::kAppend) {
    pending_.clear();
    written_ = durable_;
  }
  history.truncate_after(written_);
  // It may have been committed by the others already; it comes back with the next history.
  commit = std::min(commit, history.last());
}

void Core::count_as_durable(const SnapshotData& snapshot) {
  history.reset(snapshot.zxid);
  durable_ = written_ = applied = snapshot.zxid;
  commit = std::max(commit, applied);
  effects.emplace_back(InstallSnapshot{snapshot});
}

std::optional<PersistDone> Core::on_persisted(PersistId id) {
  if (pending_.empty() || pending_.front().id != id) {
    return std::nullopt;
  }
  const Pending done = std::move(pending_.front());
  pending_.pop_front();
  switch (done.kind) {
    case PersistKind::kAppend: durable_ = done.durable; break;
    case PersistKind::kEpochs:
      birth = done.birth;
      accepted = done.accepted;
      current = done.current;
      break;
    case PersistKind::kSwitch: finish_switch(done); break;
  }
  return PersistDone{done.kind, done.run != run_};
}

void Core::finish_switch(const Pending& done) {
  durable_ = done.durable;
  birth = done.birth;
  accepted = std::max(accepted, done.accepted);
  current = done.current;
  in_doubt = false;
  if (done.snapshot) {
    applied = done.snapshot->zxid;
    effects.emplace_back(InstallSnapshot{*done.snapshot});
  }
}

void Core::commit_up_to(Zxid zxid) {
  commit = std::max(commit, zxid);
}

void Core::deliver() {
  deliver_slice(options.deliver_bytes, options.deliver_entries);
}

void Core::deliver_all() {
  deliver_slice(std::numeric_limits<std::uint64_t>::max(), history.size());
}

void Core::deliver_slice(std::uint64_t bytes, std::size_t count) {
  const Zxid until = std::min(commit, durable_);
  if (until > applied) {
    std::vector<Entry> entries = history.range(applied, until, bytes, count);
    CHECK(!entries.empty() && entries.front().zxid.follows(applied));
    applied = entries.back().zxid;
    effects.emplace_back(Deliver{std::move(entries)});
    history.trim(std::min(applied, held_from.value_or(applied)), options.keep_bytes,
                 options.keep_entries);
  }
  deliver_more_ = applied < until;
}

}  // namespace ringside::coord
