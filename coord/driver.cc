#include "coord/driver.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/codec/request_codec.h"
#include "coord/driver/state.h"
#include "coord/mutant.h"

namespace ringside::coord {

Driver::State::State(DriverOptions settings, DriverPorts& outside, Rng random, Instant start,
                     WallTime wall_start)
    : options(std::move(settings)),
      ports(outside),
      rng(random),
      now(start),
      wall_at(start),
      wall(wall_start),
      bandwidth(options.snapshot_bytes_per_second, start),
      requests(rng) {}

Status Driver::State::open_voter(DiskPort& disk, const DiskImage& image) {
  storage = std::make_unique<Storage>(StorageOptions{.ring_name = options.ring_name,
                                                     .member = options.self,
                                                     .segment_bytes = options.segment_bytes},
                                      disk);
  Result<Recovered> recovered = storage->recover(image);
  if (!recovered) {
    return std::unexpected(recovered.error());
  }
  Zxid snapshot;
  plan_own_snapshot(recovered->snapshot ? recovered->snapshot->bytes->size() : 0);
  if (recovered->snapshot) {
    Result<Registry> loaded = Registry::load(*recovered->snapshot->bytes);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    registry = std::move(*loaded);
    snapshot = recovered->snapshot->zxid;
    if (registry.applied() != snapshot) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("the snapshot of {} holds the state of {}", snapshot.to_string(),
                              registry.applied().to_string()));
    }
  }
  if (recovered->in_doubt) {
    ports.log(LogSeverity::kWarn,
              "this member may have lost what it acknowledged, and does not "
              "vote by itself: " +
                  recovered->doubt_reason);
  }
  digests.reset({snapshot, registry.digest()});
  Zxid commit_point = recovered->commit_point;
  if (mutated(Mutant::kD15WholeLogApplied) && !recovered->log.empty()) {
    commit_point = recovered->log.back().zxid;
  }
  ZabOptions zab_options;
  zab_options.self = options.self;
  zab_options.voters = options.voters;
  zab_options.heartbeat_interval = options.heartbeat_interval;
  zab_options.election_timeout = options.election_timeout;
  zab_options.deliver_entries = options.deliver_entries;
  zab_options.keep_entries = options.keep_entries;
  zab_options.snapshots_at_once = kFollowerSnapshots;
  zab = std::make_unique<Zab>(std::move(zab_options),
                              ZabStart{.birth = recovered->birth,
                                       .accepted = recovered->accepted_epoch,
                                       .current = recovered->current_epoch,
                                       .in_doubt = recovered->in_doubt || recovered->fresh,
                                       .snapshot = snapshot,
                                       .log = std::move(recovered->log),
                                       .commit = commit_point},
                              Rng(rng()), now);
  perform(zab->start());
  return {};
}

void Driver::State::open_observer() {
  observing = std::make_unique<Observing>(options.election_timeout, rng() >> 16U, now);
}

bool Driver::State::enter(Instant time) {
  now = std::max(now, time);
  if (!fenced) {
    advance_sessions();
  }
  return !fenced;
}

void Driver::State::post(Event event) {
  events.push_back(std::move(event));
}

void Driver::State::run() {
  do {
    propose_gathered();
    while (!events.empty() && !fenced) {
      Event event = std::move(events.front());
      events.pop_front();
      perform(zab ? zab->step(now, std::move(event)) : observing->step(now, event));
      settle_turn();
    }
  } while (!fenced && continue_closing());
}

// What follows from the new state.
void Driver::State::settle_turn() {
  if (fenced) {
    return;
  }
  quorum_seen = std::max(quorum_seen, quorum_heard_at());
  answer_confirmed();
  for (auto& [local, answer] : requests.take_reached(view())) {
    answer.zxid = view();
    ports.reply(local, std::move(answer));
  }
  tell_observers();
  drop_stale_outgoing();
  drop_stale_incoming();
  begin_own_snapshot_if_due();
  tend_storage();
}

void Driver::State::fence(const Error& reason) {
  if (fenced) {
    return;
  }
  ports.log(LogSeverity::kError, "out of the ring for good: " + reason.message);
  for (const auto& [peer, link] : links) {
    ports.close_link(peer, "this member is fenced");
  }
  fenced = true;
  reign.reset();
  events.clear();
  ports.fenced(reason);
}

bool Driver::State::is_voter(MemberId id) const {
  return std::ranges::find(options.voters, id) != options.voters.end();
}

WallTime Driver::State::wall_time() const {
  return wall + std::chrono::duration_cast<milliseconds>(now - wall_at);
}

void Driver::State::link_down(MemberId peer) {
  if (links.erase(peer) == 0) {
    return;
  }
  feed.detach(peer);
  outgoing.erase(peer);
  if (is_voter(peer)) {
    post(LinkDown{peer});
  }
}

// --- the interface

Driver::Driver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Driver::~Driver() = default;

Result<std::unique_ptr<Driver>> Driver::start(DriverOptions options, DriverPorts& ports,
                                              DiskPort* disk, const DiskImage& image, Rng rng,
                                              Instant now, WallTime wall) {
  const bool voter = std::ranges::find(options.voters, options.self) != options.voters.end();
  if (options.voters.empty() || !options.self) {
    return fail(ErrorCode::kInvalid, "a member needs an id and at least one voter");
  }
  if (voter != (disk != nullptr)) {
    return fail(ErrorCode::kInvalid, "a voter needs a disk, an observer keeps none");
  }
  auto state = std::make_unique<State>(std::move(options), ports, rng, now, wall);
  if (voter) {
    if (Status status = state->open_voter(*disk, image); !status) {
      return std::unexpected(status.error());
    }
  } else {
    state->open_observer();
  }
  state->starting = false;
  state->tend_storage();
  state->run();
  return std::unique_ptr<Driver>(new Driver(std::move(state)));
}

Handshake Driver::handshake() const {
  Handshake handshake;
  handshake.version = state_->options.peer_version;
  handshake.ring_name = state_->options.ring_name;
  handshake.birth = state_->birth();
  handshake.id = state_->options.self;
  handshake.voter = state_->zab != nullptr;
  return handshake;
}

Status Driver::accept_peer(const Handshake& theirs) const {
  const State& state = *state_;
  if (theirs.ring_name != state.options.ring_name) {
    return fail(ErrorCode::kRefused, fmt::format("it belongs to the ring {:?}, this member to {:?}",
                                                 theirs.ring_name, state.options.ring_name));
  }
  if (theirs.oldest_version > state.options.peer_version || theirs.version < kPeerProtocolOldest) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("it speaks versions {} to {}, this member {} to {}", theirs.oldest_version,
                    theirs.version, kPeerProtocolOldest, state.options.peer_version));
  }
  if (theirs.birth && state.birth() && theirs.birth != state.birth()) {
    return fail(ErrorCode::kRefused,
                fmt::format("it belongs to a ring of another birth ({:#x}, here {:#x})",
                            theirs.birth.value, state.birth().value));
  }
  if (theirs.id == state.options.self) {
    return fail(ErrorCode::kRefused,
                fmt::format("it has this member's own id {}", theirs.id.value));
  }
  if (theirs.voter != state.is_voter(theirs.id)) {
    return fail(ErrorCode::kRefused, fmt::format("{} is {} voter of this ring", theirs.id.value,
                                                 theirs.voter ? "no" : "the id of a"));
  }
  if (!theirs.voter && (state.observing || theirs.id.value < kMinObserverId)) {
    return fail(ErrorCode::kRefused, "observers link to voters, with an id of 2^32 or more");
  }
  return {};
}

std::uint16_t Driver::agreed_version(const Handshake& theirs) const {
  return std::min(theirs.version, state_->options.peer_version);
}

void Driver::on_link_up(Instant now, MemberId peer, std::uint16_t version) {
  State& state = *state_;
  if (!state.enter(now)) {
    return;
  }
  state.link_down(peer);  // a link that replaces one takes its place
  state.links.emplace(peer, Link(static_cast<std::uint32_t>(state.rng() >> 32U) | 1U, version));
  if (state.is_voter(peer)) {
    state.post(LinkUp{peer});
  } else if (state.zab) {
    state.send(peer, Envelope{0, state.word_to_observers()});
  }
  state.run();
}

void Driver::on_link_down(Instant now, MemberId peer) {
  if (state_->enter(now)) {
    state_->link_down(peer);
    state_->run();
  }
}

Status Driver::on_frame(Instant now, MemberId peer, ByteView frame) {
  State& state = *state_;
  const auto link = state.links.find(peer);
  if (!state.enter(now) || link == state.links.end()) {
    return {};
  }
  Result<PeerFrame> read = decode_peer_frame(frame, link->second.version());
  if (!read) {
    return std::unexpected(read.error());
  }
  const Result<bool> fresh = link->second.accept(*read);
  if (!fresh) {
    return std::unexpected(fresh.error());
  }
  if (!*fresh) {
    return {};
  }
  Status status = state.receive(peer, std::move(read->envelope));
  state.run();
  return status;
}

void Driver::on_disk_done(Instant now, DiskBatchId id, const Status& status) {
  State& state = *state_;
  if (!state.enter(now) || !state.storage) {
    return;
  }
  const DiskOutcome outcome = state.storage->on_disk_done(id, status);
  if (outcome == DiskOutcome::kFenced) {  // D9
    state.fence(status.error());
    return;
  }
  const bool failed = outcome == DiskOutcome::kSideFailed;
  const bool of_snapshot = state.snapshot_disk_done(
      id, failed && status ? fail(ErrorCode::kIo, "a part of it was not written") : status);
  if (!of_snapshot && !state.disk_work.empty() && state.disk_work.front().first == id) {
    state.post(Persisted{state.disk_work.front().second});
    state.disk_work.pop_front();
  }
  state.settle_turn();  // there may be room now, or none
  state.run();
}

void Driver::on_time(Instant now, WallTime wall) {
  State& state = *state_;
  if (!state.enter(now)) {
    return;
  }
  state.wall_at = state.now;
  state.wall = wall;
  state.post(Tick{});
  state.run();
  if (!state.fenced) {
    state.work_in_slices();
    state.run();
  }
  if (!state.fenced && state.leads()) {
    state.advance_sessions();
    state.expire_sessions();
    state.beat_observers();
    state.run();
  }
}

Instant Driver::next_deadline() const {
  const State& state = *state_;
  if (state.fenced) {
    return kNever;
  }
  Instant deadline = state.zab ? state.zab->next_deadline() : state.observing->next_deadline();
  deadline = std::min(deadline, state.slices_deadline());
  if (state.leads()) {
    deadline = std::min(deadline, state.next_feed_beat);
    if (state.zab->leading() != nullptr && state.quorum_is_fresh()) {
      // Otherwise nobody expires, and a session that is due must not make its caller spin.
      deadline = std::min(deadline, state.sessions.next_deadline());
    }
  }
  return deadline;
}

void Driver::submit(Instant now, RequestId id, Request request) {
  std::vector<LocalRequest> one;
  one.emplace_back(id, std::move(request));
  submit(now, std::move(one));
}

void Driver::submit(Instant now, std::vector<LocalRequest> requests) {
  if (!state_->enter(now)) {
    return;
  }
  for (LocalRequest& local : requests) {
    state_->ask(local.id, std::move(local.request));
  }
  state_->send_gathered_requests();
  state_->run();
}

void Driver::touch(Instant now, SessionId session) {
  State& state = *state_;
  if (!state.enter(now)) {
    return;
  }
  if (state.leads()) {
    state.hear_touches(state.options.self, {session});
  } else if (!state.touches.add(session)) {
    state.ports.log(LogSeverity::kWarn,
                    "more sessions are used here than this member can tell its leader of: some "
                    "may expire");
  }
}

void Driver::set_routed(Instant now, Zxid zxid) {
  if (state_->enter(now)) {
    state_->own_routed = std::max(state_->own_routed, zxid);
  }
}

void Driver::hand_over(Instant now) {
  if (state_->enter(now) && state_->zab) {
    state_->post(HandOver{});
    state_->run();
  }
}

bool Driver::watch(WatcherId watcher, WatchKind kind, std::string path) {
  return state_->watches.add(watcher, kind, std::move(path));
}

void Driver::unwatch(WatcherId watcher) {
  state_->watches.remove(watcher);
}

const Registry& Driver::registry() const {
  return state_->registry;
}

BirthId Driver::birth() const {
  return state_->birth();
}

Zxid Driver::applied() const {
  return state_->view();
}

std::optional<MemberId> Driver::leader() const {
  return state_->reign ? std::optional(state_->reign->leader) : std::nullopt;
}

RingStatus Driver::status() const {
  return state_->status();
}

std::vector<std::uint32_t> Driver::take_commit_durations_us() {
  return std::exchange(state_->commit_durations_us, {});
}

}  // namespace ringside::coord
