#include "coord/zab/following.h"

#include <fmt/format.h>

#include <type_traits>

#include "coord/mutant.h"

namespace ringside::coord {

namespace {

std::unexpected<Error> unexpected_message(const char* what) {
  return fail(ErrorCode::kInvalid, fmt::format("{} out of place", what));
}

}  // namespace

Following::Following(Core& core, MemberId leader) : core_(core), leader_(leader), heard_(core.now) {
  core_.notify_all(notification());
  attach_if_it_leads();
}

Notification Following::notification() const {
  return {.role = Role::kFollowing,
          .ready = true,
          .own = core_.credentials(),
          .vote = leader_,
          .reign = serving() ? epoch_ : Epoch{},
          .established = serving(),
          .in_doubt = core_.in_doubt,
          .wants_answer = false,
          .aside = false};
}

void Following::attach_if_it_leads() {
  const auto found = core_.peers.find(leader_);
  if (found == core_.peers.end()) {
    core_.leave("the link to the leader is down");
    return;
  }
  if (stage_ != Stage::kWaiting || !found->second.said ||
      found->second.said->role != Role::kLeading) {
    return;
  }
  stage_ = Stage::kAttached;
  run_ = core_.run();
  core_.send(leader_,
             FollowerInfo{core_.birth, core_.accepted, core_.current, core_.credentials().zxid,
                          core_.in_doubt},
             run_);
}

void Following::on_message(MemberId from, const Envelope& envelope) {
  if (from != leader_ || stage_ == Stage::kWaiting ||
      (envelope.run != run_ && !mutated(Mutant::kD10OldRunHeard))) {
    return;
  }
  heard_ = core_.now;
  if (const Status status = handle(envelope.message); !status) {
    core_.close(leader_, status.error().message);
    core_.leave(fmt::format("the leader broke the protocol: {}", status.error().message));
  }
}

Status Following::handle(const Message& message) {
  return std::visit(
      [this](const auto& body) -> Status {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, LeaderInfo>) {
          return on_leader_info(body);
        } else if constexpr (std::is_same_v<Body, SyncStart>) {
          return on_sync_start(body);
        } else if constexpr (std::is_same_v<Body, SnapshotData>) {
          return stage_ == Stage::kReceiving ? staging_.add_snapshot(body)
                                             : unexpected_message("a snapshot");
        } else if constexpr (std::is_same_v<Body, SnapshotChunk>) {
          return snapshot_wanted() ? Status{} : unexpected_message("a snapshot");  // the driver's
        } else if constexpr (std::is_same_v<Body, SyncEntries>) {
          return stage_ == Stage::kReceiving && staging_.started()
                     ? staging_.add_entries(body.entries)
                     : unexpected_message("entries");
        } else if constexpr (std::is_same_v<Body, NewLeader>) {
          return on_new_leader(body);
        } else if constexpr (std::is_same_v<Body, UpToDate>) {
          return on_up_to_date(body);
        } else if constexpr (std::is_same_v<Body, Proposal>) {
          return on_proposal(body);
        } else if constexpr (std::is_same_v<Body, Commit>) {
          return on_commit(body.zxid);
        } else if constexpr (std::is_same_v<Body, Heartbeat>) {
          return on_heartbeat(body);
        } else {
          return unexpected_message("a message for a leader");
        }
      },
      message);
}

// --- discovery

Status Following::on_leader_info(const LeaderInfo& info) {
  if (stage_ != Stage::kAttached) {
    return unexpected_message("LeaderInfo");
  }
  if (!info.birth || (core_.birth && core_.birth != info.birth)) {
    return fail(ErrorCode::kRefused, "it leads a ring of another birth");
  }
  if (info.epoch < core_.accepted) {
    core_.leave(fmt::format("epoch {} is below {}, which this member has promised",
                            info.epoch.value, core_.accepted.value));
    return {};
  }
  birth_ = info.birth;
  epoch_ = info.epoch;
  stage_ = Stage::kPromising;
  if (core_.in_doubt || info.epoch == core_.accepted) {
    send_ack_epoch(false);  // no promise to count: promised before, or not to be trusted (D16)
  } else {
    core_.save_epochs(birth_, epoch_, core_.current);  // D4
    if (mutated(Mutant::kZk335PromiseNotLogged)) {
      send_ack_epoch(true);
    }
  }
  return {};
}

void Following::send_ack_epoch(bool counts) {
  stage_ = Stage::kReceiving;
  core_.send(leader_,
             AckEpoch{epoch_, core_.current, core_.credentials().zxid, counts,
                      core_.history.epoch_ends(kMaxEpochEnds)},
             run_);
}

// --- synchronization

Status Following::on_sync_start(const SyncStart& start) {
  if (stage_ != Stage::kReceiving || staging_.started()) {
    return unexpected_message("SyncStart");
  }
  if (start.mode == SyncMode::kSnap && start.keep_until < core_.applied && !core_.in_doubt) {
    return fail(ErrorCode::kRefused, "a snapshot older than what is applied here");
  }
  return staging_.start(start, core_.history, core_.commit);
}

void Following::keep_unfinished() {
  if (stage_ == Stage::kReceiving && staging_.snapshot()) {
    core_.count_as_durable(*staging_.snapshot());
  }
}

Status Following::on_new_leader(const NewLeader& message) {
  if (stage_ != Stage::kReceiving || message.epoch != epoch_) {
    return unexpected_message("NEWLEADER");
  }
  if (const Status status = staging_.check(message, core_.history); !status) {
    return status;
  }
  if (message.last < core_.commit) {  // D7
    return fail(ErrorCode::kRefused, "a history that ends below the commit point");
  }
  stage_ = Stage::kSwitching;
  core_.commit_up_to(message.commit);
  std::vector<Entry> entries;
  if (!mutated(Mutant::kZk3023JudgedIllegal)) {
    entries = staging_.take_entries();
  }
  if (mutated(Mutant::kZk4394ForgottenProposals)) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.zxid > message.commit; });
  }
  core_.switch_history(staging_.snapshot(), staging_.keep_until(), std::move(entries), birth_,
                       epoch_);
  if (mutated(Mutant::kZk3911AckBeforeDurable) && !staging_.snapshot()) {
    acknowledge_new_leader(message.last);
  }
  return {};
}

void Following::acknowledge_new_leader(Zxid last) {
  if (stage_ == Stage::kSwitching) {
    stage_ = Stage::kSynced;
    core_.send(leader_, AckNewLeader{last}, run_);
  }
}

void Following::on_persisted(const PersistDone& done) {
  if (done.stale) {
    return;
  }
  switch (done.kind) {
    case PersistKind::kEpochs:
      if (stage_ == Stage::kPromising) {
        send_ack_epoch(true);
      }
      break;
    case PersistKind::kSwitch:
      if (!mutated(Mutant::kZk4685AckOvertakes) || core_.durable() == core_.history.last()) {
        acknowledge_new_leader(core_.durable());  // D3: history, epochs, then ack
      }
      core_.deliver();
      break;
    case PersistKind::kAppend:
      core_.send(leader_, Ack{core_.durable()}, run_);  // D2
      if (mutated(Mutant::kZk4685AckOvertakes)) {
        acknowledge_new_leader(core_.durable());
      }
      core_.deliver();
      break;
  }
}

Status Following::on_up_to_date(const UpToDate& message) {
  if (stage_ != Stage::kSynced) {
    return unexpected_message("UPTODATE");
  }
  if (mutated(Mutant::kZk3023JudgedIllegal)) {
    for (Entry& entry : staging_.take_entries()) {
      core_.history.append(std::move(entry));
    }
  }
  stage_ = Stage::kServing;
  quorum_at_ = core_.now;
  if (const Status status = on_commit(message.commit); !status) {
    return status;
  }
  core_.notify_all(notification());
  core_.effects.emplace_back(ReignBegan{leader_, epoch_, run_});
  return {};
}

// --- broadcast

Status Following::on_proposal(const Proposal& proposal) {
  if (stage_ < Stage::kSwitching) {
    return unexpected_message("a proposal");
  }
  for (const Entry& entry : proposal.entries) {
    if (!core_.history.can_append(entry.zxid) || entry.zxid.epoch() != epoch_) {  // D5
      return fail(ErrorCode::kInvalid,
                  fmt::format("a gap in the proposals: {} after {}", entry.zxid.to_string(),
                              core_.history.last().to_string()));
    }
    core_.history.append(entry);
  }
  return on_commit(proposal.commit);
}

Status Following::on_commit(Zxid zxid) {
  if (stage_ < Stage::kSwitching) {
    return unexpected_message("a commit");
  }
  if (!core_.history.covers(zxid)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a commit of {}, which was never proposed here", zxid.to_string()));
  }
  core_.commit_up_to(zxid);
  if (stage_ == Stage::kServing) {
    core_.deliver();
  }
  return {};
}

Status Following::on_heartbeat(const Heartbeat& heartbeat) {
  if (heartbeat.quorum) {
    quorum_at_ = core_.now;
  }
  core_.send(leader_, HeartbeatReply{heartbeat.round, core_.applied, {}}, run_);
  return stage_ == Stage::kServing ? on_commit(heartbeat.commit) : Status{};
}

// --- the end

void Following::on_link_down(MemberId peer) {
  if (peer == leader_) {
    core_.leave("the link to the leader is down");
  }
}

void Following::on_notification(MemberId from) {
  if (from != leader_) {
    return;
  }
  const Notification& said = *core_.peers.at(from).said;
  const bool may_lead =
      said.role == Role::kLooking && !said.aside && (!said.vote || said.vote == leader_);
  if (stage_ == Stage::kWaiting && may_lead) {
    return;
  }
  if (said.role != Role::kLeading) {
    core_.leave("the leader leads no more");
    return;
  }
  heard_ = core_.now;
  attach_if_it_leads();
}

std::optional<SnapshotWanted> Following::snapshot_wanted() const {
  const bool given = staging_.snapshot().has_value();
  if (stage_ != Stage::kReceiving || (!given && !staging_.wants_snapshot())) {
    return std::nullopt;
  }
  return SnapshotWanted{leader_, run_, staging_.keep_until(), given};
}

void Following::go_on() {
  if (core_.deliver_more()) {
    core_.deliver();
  }
}

void Following::on_tick() {
  if (core_.now - heard_ > core_.options.election_timeout) {
    if (stage_ != Stage::kWaiting) {
      if (const auto found = core_.peers.find(leader_); found != core_.peers.end()) {
        found->second.said.reset();  // its word counts no more
      }
      core_.close(leader_, "it has been silent for an election timeout");
    }
    core_.leave("the leader has been silent for an election timeout");
  }
}

Instant Following::deadline() const {
  return core_.deliver_more() ? core_.now : heard_ + core_.options.election_timeout + Duration{1};
}

std::string Following::waiting_for() const {
  if (serving()) {
    return "";
  }
  return stage_ < Stage::kReceiving
             ? fmt::format("voter {} to find its quorum", leader_.value)
             : fmt::format("voter {} to synchronize this member and establish itself",
                           leader_.value);
}

}  // namespace ringside::coord
