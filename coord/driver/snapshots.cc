// Snapshots, in slices: to followers and observers, from a leader, and to this member's own disk;
// and what else of a turn must not take long. One slice of each in a turn, begun by on_time.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/base/check.h"
#include "coord/codec/txn_codec.h"
#include "coord/driver/state.h"
#include "coord/mutant.h"

namespace ringside::coord {

namespace {

// A receiver that takes in nothing for so many election timeouts is dropped.
constexpr int kStalledTimeouts = 30;
constexpr seconds kRetryOwnSnapshot{30};

}  // namespace

// One turn's share of everything that is done in slices.
void Driver::State::work_in_slices() {
  bandwidth.advance(now);
  graveyard.work(options.slice_nodes);
  work_on_incoming();
  begin_waiting_feeds();
  for (Send& send_later : feed.catch_up(options.snapshot_chunk_bytes)) {
    send(send_later.to, std::move(send_later.envelope));
  }
  own_first = !own_first;  // neither starves the other when the bandwidth is short
  if (own_first) {
    write_own_snapshot();
  }
  send_one_chunk();
  write_own_snapshot();
}

Instant Driver::State::slices_deadline() const {
  Instant deadline = storage ? storage->next_deadline() : kNever;
  if (!graveyard.empty() || (incoming && incoming->busy()) || feed.catching_up() ||
      observer_may_begin()) {
    return now;
  }
  const bool ready = std::ranges::any_of(
      outgoing, [](const auto& entry) { return entry.second.ready() || entry.second.broken(); });
  if (ready || (own_snapshot && (own_snapshot->ready() || own_snapshot->broken()))) {
    deadline = std::min(deadline, bandwidth.opens_at());
  }
  for (const auto& [to, sender] : outgoing) {
    deadline = sender.ready() ? deadline : std::min(deadline, stalls_at(sender));
  }
  if (own_snapshot_due()) {
    deadline = std::min(deadline, own_snapshot_at);
  }
  return deadline;
}

Instant Driver::State::stalls_at(const SnapshotSender& sender) const {
  return sender.moved_at() + kStalledTimeouts * options.election_timeout;
}

// --- outgoing

void Driver::State::perform(const SendSnapshot& effect) {
  std::unique_ptr<SnapshotCursor> cursor = registry.begin_snapshot();
  if (!cursor) {
    ports.close_link(effect.to, "too many snapshots are under way");
    return;
  }
  outgoing.insert_or_assign(
      effect.to, SnapshotSender(std::move(cursor), effect.run, options.snapshot_chunk_bytes, now));
}

// Takes turns among the receivers.
void Driver::State::send_one_chunk() {
  for (auto entry = outgoing.begin(); entry != outgoing.end();) {
    const auto [to, sender] = std::tie(entry->first, entry->second);
    const bool stalled = !sender.ready() && now >= stalls_at(sender);
    if (!stalled && !sender.broken()) {
      ++entry;
      continue;
    }
    ports.close_link(to, stalled ? "it takes in nothing of its snapshot"
                                 : "the tree of its snapshot was replaced");
    entry = outgoing.erase(entry);
  }
  if (!bandwidth.open()) {
    return;
  }
  const auto ready = [](const auto& entry) { return entry.second.ready(); };
  auto next = std::find_if(outgoing.upper_bound(last_sent_to), outgoing.end(), ready);
  if (next == outgoing.end()) {
    next = std::find_if(outgoing.begin(), outgoing.end(), ready);
  }
  if (next == outgoing.end()) {
    return;
  }
  last_sent_to = next->first;
  SnapshotChunk chunk = next->second.next(now);
  bandwidth.take(chunk.bytes.size());
  send(next->first, {next->second.run(), std::move(chunk)});
}

Status Driver::State::receive_snapshot_ack(MemberId peer, std::uint64_t run_number,
                                           const SnapshotAck& ack) {
  const auto found = outgoing.find(peer);
  if (found == outgoing.end() || found->second.run() != run_number) {
    return {};  // of an attachment that is over (D10)
  }
  if (Status status = found->second.acknowledged(ack, now); !status) {
    return status;
  }
  if (!found->second.taken()) {
    return {};
  }
  outgoing.erase(found);
  if (is_voter(peer)) {
    post(SnapshotTaken{peer, run_number});
  } else {
    feed.snapshot_taken(peer);
  }
  return {};
}

// A transfer lives as long as the attachment that it is for.
void Driver::State::drop_stale_outgoing() {
  std::erase_if(outgoing, [this](const auto& entry) {
    const auto& [to, sender] = entry;
    if (!is_voter(to)) {
      return !feed.attached(to, sender.run());
    }
    if (!zab || zab->followers() == nullptr) {
      return true;
    }
    const auto follower = zab->followers()->find(to);
    return follower == zab->followers()->end() || follower->second.run != sender.run() ||
           follower->second.stage != FollowerStage::kSnapshot;
  });
}

bool Driver::State::observer_may_begin() const {
  const auto under_way =
      std::ranges::count_if(outgoing, [this](const auto& entry) { return !is_voter(entry.first); });
  return leads() && static_cast<std::size_t>(under_way) < kObserverSnapshots &&
         registry.snapshot_may_begin() && feed.next_waiting();
}

void Driver::State::begin_waiting_feeds() {
  while (observer_may_begin()) {
    const std::optional<MemberId> next = feed.next_waiting();
    std::unique_ptr<SnapshotCursor> cursor = registry.begin_snapshot(true);
    const std::uint64_t run_number = feed.start(*next, cursor->zxid());
    send(*next, {run_number, ObserverStart{birth(), reign->epoch, cursor->zxid()}});
    outgoing.insert_or_assign(
        *next, SnapshotSender(std::move(cursor), run_number, options.snapshot_chunk_bytes, now));
  }
}

// --- incoming

std::optional<SnapshotWanted> Driver::State::snapshot_wanted() const {
  return zab ? zab->snapshot_wanted() : observing->snapshot_wanted();
}

Status Driver::State::receive_chunk(MemberId peer, std::uint64_t run_number, SnapshotChunk chunk) {
  drop_stale_incoming();
  const std::optional<SnapshotWanted> wanted = snapshot_wanted();
  if (!wanted || wanted->from != peer || wanted->run != run_number || wanted->given) {
    return {};  // of an attachment that is over (D10)
  }
  if (!incoming) {
    incoming.emplace(*wanted, ++last_token, storage.get());
  }
  if (incoming->failed()) {
    return {};  // the link is on its way out
  }
  SnapshotChunk word{chunk.zxid, chunk.offset, chunk.last, {}};  // Zab hears that it is alive
  if (Status status = incoming->add(std::move(chunk)); !status) {
    return status;
  }
  post(Received{peer, {run_number, std::move(word)}});
  if (incoming->failed()) {
    give_up_incoming(*incoming->failed());
  }
  tell_incoming();
  return {};
}

void Driver::State::work_on_incoming() {
  if (!incoming || !incoming->busy()) {
    return;
  }
  if (const Status status = incoming->work(options.slice_nodes); !status) {
    give_up_incoming(status.error().message);
  }
  tell_incoming();
}

// Acknowledges what is kept; the whole of it goes to the step machine as well.
void Driver::State::tell_incoming() {
  const std::optional<SnapshotAck> ack = incoming->take_ack();
  if (!ack) {
    return;
  }
  const SnapshotWanted& wanted = incoming->wanted();
  if (incoming->whole()) {
    post(Received{wanted.from, {wanted.run, SnapshotData{wanted.zxid, incoming->token()}}});
  }
  send(wanted.from, {wanted.run, *ack});
}

void Driver::State::give_up_incoming(const std::string& reason) {
  incoming->give_up(reason);
  ports.log(LogSeverity::kWarn, "a snapshot could not be taken in: " + reason);
  ports.close_link(incoming->wanted().from, reason);
}

// D6: nothing of it survives the run that it was for.
void Driver::State::drop_stale_incoming() {
  if (!incoming || incoming->switching()) {
    return;
  }
  const std::optional<SnapshotWanted> wanted = snapshot_wanted();
  if (wanted && wanted->from == incoming->wanted().from && wanted->run == incoming->wanted().run) {
    return;
  }
  incoming->drop_file();
  bury_incoming();
}

void Driver::State::bury_incoming() {
  if (incoming->registry()) {
    graveyard.bury(std::move(*incoming->registry()));
  } else {
    graveyard.bury(incoming->loader().take());  // half made
  }
  incoming.reset();
}

void Driver::State::perform(const InstallSnapshot& effect) {
  CHECK(incoming && incoming->token() == effect.snapshot.token && incoming->whole());
  plan_own_snapshot(incoming->bytes());
  graveyard.bury(std::exchange(registry, std::move(*incoming->registry())));
  incoming.reset();
  digests.reset({registry.applied(), registry.digest()});
  ports.reloaded(registry.applied());
}

// --- to the own disk

bool Driver::State::own_snapshot_due() const {
  const bool tree_goes = incoming && incoming->switching();
  return storage && !own_snapshot && !tree_goes && storage->log_bytes() > own_snapshot_after;
}

// A tree that is large beside its log is not written anew each time the log has grown a little:
// what is written in all stays within three times the log.
void Driver::State::plan_own_snapshot(std::uint64_t last_bytes) {
  last_snapshot_bytes = last_bytes;
  const std::uint64_t after = std::max(options.snapshot_after_bytes, last_bytes / 2);
  // Members do not take theirs together.
  own_snapshot_after = after + rng.below(after / 8 + 1);
}

void Driver::State::begin_own_snapshot_if_due() {
  if (!own_snapshot_due() || now < own_snapshot_at) {
    return;
  }
  std::unique_ptr<SnapshotCursor> cursor = mutated(Mutant::kZk1549UncommittedSnapshot)
                                               ? begin_uncommitted_snapshot()
                                               : registry.begin_snapshot();
  if (!cursor) {
    own_snapshot_at = now + kRetryOwnSnapshot;
    return;
  }
  own_snapshot.emplace(std::move(cursor), *storage);
}

// The bug ZK-1549 (mutant.h): of a tree with all in it that is logged.
std::unique_ptr<SnapshotCursor> Driver::State::begin_uncommitted_snapshot() {
  Result<Registry> copy = Registry::load(registry.snapshot());
  CHECK(copy.has_value());
  uncommitted.emplace(std::move(*copy));
  for (const Entry& entry : zab->history().range(uncommitted->applied(), zab->history().last())) {
    const Result<Txn> txn = decode_txn(*entry.txn);
    CHECK(txn && uncommitted->apply(entry.zxid, *txn));
  }
  return uncommitted->begin_snapshot();
}

void Driver::State::write_own_snapshot() {
  if (!own_snapshot) {
    return;
  }
  if (own_snapshot->broken()) {
    drop_own_snapshot();
  } else if (own_snapshot->ready() && bandwidth.open()) {
    const std::size_t written = own_snapshot->write(options.snapshot_chunk_bytes);
    bandwidth.take(written);
    if (written == 0) {
      give_up_own_snapshot("its file cannot be written");
    }
  }
}

void Driver::State::give_up_own_snapshot(const std::string& reason) {
  ports.log(LogSeverity::kWarn, "no snapshot this time, the log goes on without: " + reason);
  drop_own_snapshot();
}

void Driver::State::drop_own_snapshot() {
  if (own_snapshot && !own_snapshot->adopting()) {
    own_snapshot->drop();
    own_snapshot.reset();
    own_snapshot_at = now + kRetryOwnSnapshot;
  }
}

// --- completions of the side lane, and of an adoption

bool Driver::State::snapshot_disk_done(DiskBatchId id, const Status& status) {
  if (own_snapshot && own_snapshot->waits_for(id)) {
    if (!status) {
      give_up_own_snapshot(status.error().message);
      return true;
    }
    own_snapshot->on_disk_done(id, Zxid{zab->history().base().packed + 1});
    if (own_snapshot->done()) {
      plan_own_snapshot(own_snapshot->bytes());
      own_snapshot.reset();
    }
    return true;
  }
  if (!incoming || !incoming->on_disk_done(id, status)) {
    return false;
  }
  if (incoming->failed()) {
    give_up_incoming(*incoming->failed());
  }
  tell_incoming();
  return true;
}

// --- room on the disk

// Without room this member would soon fail, and end for good (D9): it stands aside before that,
// and comes back by itself.
void Driver::State::tend_storage() {
  if (!storage) {
    return;
  }
  storage->tend(now);
  std::string reason = storage->short_of_room();
  if (reason.empty() == short_of_room.empty()) {
    return;
  }
  short_of_room = std::move(reason);
  if (short_of_room.empty()) {
    ports.log(LogSeverity::kInfo, "there is room on the disk again: back to the ring");
  } else {
    ports.log(LogSeverity::kWarn,
              "this member takes no part in the ring until there is room: " + short_of_room);
  }
  post(StandAside{short_of_room});
}

}  // namespace ringside::coord
