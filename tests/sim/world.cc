#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "tests/sim/replay.h"

namespace ringside::sim {

namespace {

constexpr seconds kFaultsFrom{4};
constexpr seconds kFaultsUntil{48};
constexpr seconds kHeal{50};
constexpr seconds kEnd{62};
constexpr seconds kLeaderBound{8};
constexpr seconds kConvergeBound{3};
constexpr std::size_t kFaults = 14;
constexpr std::size_t kAmbushes = 5;
constexpr std::size_t kClients = 5;

Instant at(Duration since_start) {
  return Instant(since_start);
}

std::uint64_t hash_changes(std::span<const coord::Change> changes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const coord::Change& change : changes) {
    mix(static_cast<std::uint8_t>(change.kind));
    for (const char letter : change.path) {
      mix(static_cast<std::uint8_t>(letter));
    }
  }
  return hash;
}

}  // namespace

World::World(std::uint64_t seed, bool trace, std::string* into)
    : trace_(queue_, trace, into),
      rng_(seed),
      network_(queue_, trace_, Rng(rng_())),
      client_world_{queue_, trace_, sessions_, tree_, {}, {}, {}, {}},
      faults_(queue_, trace_, network_, members_, Rng(rng_())),
      ambush_(queue_, trace_, network_, members_, faults_, Rng(rng_())) {
  make_members(Rng(rng_()));
  make_clients(Rng(rng_()));
  faults_.plan(kFaults, at(kFaultsFrom), at(kFaultsUntil));
  ambush_.plan(kAmbushes, at(kFaultsFrom), at(kFaultsUntil));
}

World::~World() = default;

void World::make_members(Rng rng) {
  const std::uint64_t voters = 3 + rng.below(3);
  speech_ = SpeechRules(voters);
  coord::DriverOptions options;
  options.ring_name = "sim";
  options.heartbeat_interval = milliseconds(rng.between(50, 150));
  options.election_timeout = milliseconds(rng.between(400, 1200));
  // Small enough that snapshots and purges happen in every run.
  options.snapshot_after_bytes = static_cast<std::uint64_t>(rng.between(2'000, 60'000));
  options.close_slice_nodes = 2;  // so that many a session ends in slices
  options.segment_bytes = static_cast<std::uint64_t>(rng.between(1'000, 20'000));
  // Small enough that they take many turns, and that many a follower needs one.
  options.snapshot_chunk_bytes = static_cast<std::size_t>(rng.between(100, 4'000));
  options.snapshot_bytes_per_second = static_cast<std::uint64_t>(rng.between(20'000, 2'000'000));
  options.slice_nodes = static_cast<std::size_t>(rng.between(5, 200));
  options.keep_entries = static_cast<std::size_t>(rng.between(5, 100));
  options.deliver_entries = static_cast<std::size_t>(rng.between(1, 50));
  for (std::uint64_t id = 1; id <= voters; ++id) {
    options.voters.emplace_back(id);
  }
  for (std::uint64_t i = 0; i <= voters; ++i) {
    const bool voter = i < voters;
    options.self = voter ? MemberId{i + 1} : MemberId{coord::kMinObserverId + 7};
    MemberObserver& observer = *this;
    members_.push_back(std::make_unique<SimMember>(queue_, trace_, network_, observer, options,
                                                   voter, Rng(rng())));
    network_.add(options.self, *members_.back());
  }
  for (const auto& member : members_) {
    queue_.after(milliseconds(rng.between(0, 1500)), [&member] {
      if (!member->up()) {
        member->start();
      }
    });
  }
}

void World::make_clients(Rng rng) {
  client_world_.any_member = [this](Rng& draw) -> SimMember* {
    SimMember* const member = members_[draw.below(members_.size())].get();
    return member->serving() ? member : nullptr;
  };
  client_world_.acknowledged = [this](coord::Zxid zxid, SimMember& member) {
    deliveries_.acknowledged(zxid, member.view());
  };
  for (std::size_t i = 0; i < kClients; ++i) {
    clients_.push_back(std::make_unique<Client>(client_world_, next_client_++, Rng(rng())));
    queue_.after(milliseconds(rng.between(500, 3000)), [this, i] {
      clients_[i]->begin();
      client_leaves(i);
    });
  }
}

// After its lifetime a client dies or closes its session, and another takes its place.
void World::client_leaves(std::size_t place) {
  queue_.after(milliseconds(rng_.between(4'000, 25'000)), [this, place] {
    if (!keep_clients_coming_) {
      return;
    }
    if (rng_.chance(0.6)) {
      clients_[place]->die();
    } else {
      clients_[place]->close_session();
    }
    clients_.push_back(std::make_unique<Client>(client_world_, next_client_++, Rng(rng_())));
    clients_.back()->begin();
    client_leaves(clients_.size() - 1);
  });
}

Delivered World::state_of(const SimMember& member, coord::Zxid zxid) {
  const auto& registry = member.driver().registry();
  if (registry.applied() != zxid) {
    violate("member {} tells of {} and stands at {}", member.id().value, zxid.to_string(),
            registry.applied().to_string());
  }
  return {zxid, registry.digest(), registry.scope_digest(), 0};
}

void World::started(SimMember& member) {
  const coord::Zxid zxid = member.driver().registry().applied();
  if (zxid > deliveries_.last()) {
    // It knows of commits that nobody has delivered: it is the first to deliver them.
    replay("sim", member.id(), member.disk().image(), deliveries_.last(),
           [&](const coord::Registry& registry, std::span<const coord::Change> changes) {
             deliveries_.delivered_at_start(
                 member.id(), {registry.applied(), registry.digest(), registry.scope_digest(),
                               hash_changes(changes)});
             extended(registry, changes);
           });
  }
  deliveries_.stands_at(member.id(), member.voter(), state_of(member, zxid));
}

void World::reloaded(SimMember& member, coord::Zxid zxid) {
  deliveries_.reloaded(member.id(), member.voter(), state_of(member, zxid));
}

void World::applied(SimMember& member, coord::Zxid zxid, std::span<const coord::Change> changes) {
  if (member.voter() && member.disk().durable().last < zxid) {
    violate("D1: member {} delivers {}, its disk holds {}", member.id().value, zxid.to_string(),
            member.disk().durable().last.to_string());
  }
  Delivered state = state_of(member, zxid);
  state.changes = hash_changes(changes);
  if (deliveries_.applied(member.id(), member.voter(), state)) {
    trace_.say("member {} is the first to deliver {}", member.id().value, zxid.to_string());
    extended(member.driver().registry(), changes);
    ambush_.delivered_first(member);
  }
}

// The history got longer; `registry` is the state at its end.
void World::extended(const coord::Registry& registry, std::span<const coord::Change> changes) {
  std::vector<SessionId> sessions;
  std::vector<SessionId> closing;
  for (const coord::SessionInfo& session : registry.sessions()) {
    sessions.push_back(session.id);
    if (session.closing) {
      closing.push_back(session.id);
    }
  }
  std::vector<NodeChange> nodes;
  for (const coord::Change& change : changes) {
    std::optional<NodeState> left;
    if (const auto view = registry.get(change.path)) {
      left = NodeState{std::string(view->data), view->stat.version, view->stat.mzxid};
    }
    tree_.changed(registry.applied(), change.path, std::move(left));
    if (change.kind == coord::ChangeKind::kDataChanged) {
      continue;
    }
    NodeChange node{change.kind == coord::ChangeKind::kCreated, change.path, {}};
    if (const auto view = registry.get(change.path); node.created && view) {
      node.owner = view->stat.ephemeral_owner;
    }
    nodes.push_back(std::move(node));
  }
  tree_.extended(registry.applied());
  speech_.delivered(registry.applied());
  sessions_.transaction(queue_.now(), registry.applied(), sessions, nodes, closing);
}

void World::note_leader(SimMember& member) {
  const coord::RingStatus status = member.driver().status();
  deliveries_.born(member.id(), status.birth);
  if (status.role == coord::Role::kLeading && status.leader == member.id()) {
    if (deliveries_.led(member.id(), status.epoch, status.applied)) {
      trace_.say("member {} is seen to lead epoch {}", member.id().value, status.epoch.value);
    }
    sessions_.led(queue_.now(), status.epoch);
  }
}

void World::sent(SimMember& from, MemberId to, ByteView payload) {
  const std::size_t kind = payload[0] - std::size_t{1};
  if (from.voter() && to.value < coord::kMinObserverId && SpeechRules::judges(kind)) {
    const auto frame = coord::decode_peer_frame(payload);
    if (!frame) {
      violate("message legality: member {} sends what cannot be read: {}", from.id().value,
              frame.error().message);
    }
    speech_.said({from.id(), from.driver().registry().applied(), from.disk().durable(),
                  from.driver().status().in_doubt},
                 to, frame->envelope, deliveries_.last());
  }
  ambush_.sent(from, to, kind);
}

void World::stepped(SimMember& member) {
  if (member.voter() && !member.fenced_out()) {
    note_leader(member);
  }
}

void World::track_calm() {
  std::optional<MemberId> leader;
  bool calm = !faults_.active();
  for (const auto& member : members_) {
    if (!member->serving()) {
      calm = false;
      break;
    }
    const auto status = member->driver().status();
    calm = calm && status.leader.has_value() && (!leader || leader == status.leader);
    leader = status.leader;
  }
  if (!calm) {
    calm_leader_.reset();
    sessions_.calm(std::nullopt);
  } else if (calm_leader_ != leader) {
    calm_leader_ = leader;
    sessions_.calm(queue_.now());
  }
}

void World::look_around() {
  track_calm();
  sessions_.overdue(queue_.now());
  queue_.after(milliseconds(100), [this] { look_around(); });
}

std::string World::describe() const {
  std::string out;
  for (const auto& member : members_) {
    if (!member->up()) {
      out += fmt::format("; {} is down", member->id().value);
      continue;
    }
    const auto status = member->driver().status();
    out += fmt::format("; {} is {} at {}{}{}", member->id().value, coord::to_string(status.role),
                       status.applied.to_string(), status.in_doubt ? ", in doubt" : "",
                       status.waiting_for.empty() ? "" : ", waits: " + status.waiting_for);
  }
  return out;
}

void World::wait_for_leader() {
  const Instant limit = queue_.now() + kLeaderBound;
  while (true) {
    track_calm();
    if (calm_leader_) {
      return;
    }
    if (queue_.now() >= limit) {
      violate("liveness: no leader that all follow {} s after everything healed{}",
              kLeaderBound.count(), describe());
    }
    queue_.run_until(queue_.now() + milliseconds(20));
  }
}

void World::write_something() {
  const Instant limit = queue_.now() + kConvergeBound;
  const auto done = std::make_shared<bool>(false);
  clients_.push_back(std::make_unique<Client>(client_world_, next_client_++, Rng(rng_())));
  Client& writer = *clients_.back();
  writer.stop_asking();
  writer.begin();
  while (!*done) {
    if (queue_.now() >= limit) {
      violate("liveness: no write succeeds after everything healed{}", describe());
    }
    writer.write_once([done](bool success) { *done = *done || success; });
    queue_.run_until(queue_.now() + milliseconds(50));
  }
  writer.die();
}

bool World::converged() const {
  return std::ranges::all_of(members_, [this](const auto& member) {
    return !member->voter() ||
           (member->serving() && member->driver().registry().applied() == deliveries_.last());
  });
}

// Clients that live on may ask at any moment: there must be one at which every voter holds all that
// was delivered, and no member owes an answer.
void World::come_to_rest() {
  const auto owes = [](const auto& member) { return member->unanswered() > 0; };
  const Instant limit = queue_.now() + kConvergeBound;
  while (true) {
    const auto debtor = std::ranges::find_if(members_, owes);
    if (converged() && debtor == members_.end()) {
      return;
    }
    if (queue_.now() >= limit) {
      if (!converged()) {
        violate("liveness: members have not converged{}", describe());
      }
      violate("member {} left {} requests unanswered", (*debtor)->id().value,
              (*debtor)->unanswered());
    }
    queue_.run_until(queue_.now() + milliseconds(5));
  }
}

RunStats World::run() {
  try {
    return live();
  } catch (const std::exception& error) {
    violate("at {:.6f} s: {}",
            std::chrono::duration<double>(queue_.now().time_since_epoch()).count(), error.what());
  }
}

RunStats World::live() {
  look_around();
  queue_.run_until(at(kHeal));
  ambush_.stop();
  faults_.heal_all();
  wait_for_leader();
  write_something();
  keep_clients_coming_ = false;
  for (const auto& client : clients_) {
    client->stop_asking();
  }
  queue_.run_until(std::max(at(kEnd), queue_.now() + seconds(8)));
  come_to_rest();
  sessions_.nothing_left_of_the_dead();
  client_world_.histories.judge_all(trace_);
  const auto& first = *members_.front();
  for (const auto& member : members_) {
    if (member->driver().registry().scope_digest() != first.driver().registry().scope_digest()) {
      violate("scope: member {} ends with another view", member->id().value);
    }
    if (member->voter()) {
      deliveries_.complete(member->id(), member->driver().registry().applied());
    }
  }
  return {queue_.steps(),
          client_world_.operations,
          client_world_.answered,
          deliveries_.size(),
          sessions_.expired(),
          faults_.begun(),
          std::chrono::duration<double>(queue_.now().time_since_epoch()).count()};
}

}  // namespace ringside::sim
