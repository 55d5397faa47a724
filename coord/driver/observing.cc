#include "coord/driver/observing.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace ringside::coord {

Effects Observing::step(Instant now, const Event& event) {
  now_ = std::max(now_, now);
  if (const auto* up = std::get_if<LinkUp>(&event)) {
    voters_[up->peer] = std::nullopt;
  } else if (const auto* down = std::get_if<LinkDown>(&event)) {
    voters_.erase(down->peer);
    if (down->peer == leader_) {
      detach("the link to the leader is down");
    }
  } else if (const auto* received = std::get_if<Received>(&event)) {
    on_received(*received);
  }
  if (leader_ && now_ - heard_ > election_timeout_) {
    voters_[leader_] = std::nullopt;  // its word counts no more
    effects_.emplace_back(CloseLink{leader_, "it has been silent for an election timeout"});
    detach("the leader has been silent for an election timeout");
  }
  attach();
  return std::exchange(effects_, {});
}

Instant Observing::next_deadline() const {
  return leader_ ? heard_ + election_timeout_ + Duration{1} : kNever;
}

void Observing::on_received(const Received& received) {
  const auto voter = voters_.find(received.from);
  if (voter == voters_.end()) {
    return;  // of a link that is gone (D10)
  }
  if (const auto* said = std::get_if<Notification>(&received.envelope.message)) {
    voter->second = *said;
    const bool leads = said->role == Role::kLeading && said->established;
    if (received.from == leader_ && !leads) {
      detach("the leader leads no more");
    }
    return;
  }
  if (received.from != leader_ || received.envelope.run != run_) {
    return;  // of an attachment that is over (D10)
  }
  heard_ = now_;
  if (const Status status = handle(received.envelope.message); !status) {
    effects_.emplace_back(CloseLink{leader_, status.error().message});
    voter->second = std::nullopt;
    detach(fmt::format("the leader broke the protocol: {}", status.error().message));
  }
}

Status Observing::handle(const Message& message) {
  return std::visit(
      [this](const auto& body) -> Status {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, ObserverStart>) {
          return on_start(body);
        } else if constexpr (std::is_same_v<Body, SnapshotData>) {
          return on_snapshot(body);
        } else if constexpr (std::is_same_v<Body, Inform>) {
          return on_inform(body);
        } else if constexpr (std::is_same_v<Body, Heartbeat>) {
          on_heartbeat(body);
          return {};
        } else if constexpr (std::is_same_v<Body, SnapshotChunk>) {
          return {};  // the driver takes it in
        } else {
          return fail(ErrorCode::kInvalid, "a message that is not for an observer");
        }
      },
      message);
}

Status Observing::on_start(const ObserverStart& start) {
  if (announced_) {
    return fail(ErrorCode::kInvalid, "a feed that begins twice");
  }
  if (!start.birth || (birth_ && birth_ != start.birth)) {  // D17
    return fail(ErrorCode::kRefused, "it leads a ring of another birth");
  }
  if (start.epoch < epoch_) {
    return fail(ErrorCode::kInvalid, "a feed of an epoch that is over");
  }
  announced_ = true;
  birth_ = start.birth;
  epoch_ = start.epoch;
  feed_ = start.zxid;
  return {};
}

Status Observing::on_snapshot(const SnapshotData& snapshot) {
  if (!announced_ || started_ || snapshot.zxid != feed_) {
    return fail(ErrorCode::kInvalid, "a snapshot that was not announced");
  }
  started_ = true;
  view_ = feed_;
  quorum_at_ = now_;
  effects_.emplace_back(InstallSnapshot{snapshot});
  effects_.emplace_back(ReignBegan{leader_, epoch_, run_});
  return {};
}

Status Observing::on_inform(const Inform& inform) {
  if (!started_ || inform.previous != feed_ || inform.zxid <= feed_) {  // D5
    return fail(
        ErrorCode::kInvalid,
        fmt::format("a gap in the feed: {} after {}, where {} was the last",
                    inform.zxid.to_string(), inform.previous.to_string(), feed_.to_string()));
  }
  feed_ = inform.zxid;
  view_ = std::max(view_, feed_);
  effects_.emplace_back(Deliver{{Entry{inform.zxid, std::make_shared<const Bytes>(inform.txn)}}});
  return {};
}

void Observing::on_heartbeat(const Heartbeat& heartbeat) {
  if (started_) {
    quorum_at_ = heartbeat.quorum ? now_ : quorum_at_;
    view_ = std::max(view_, heartbeat.applied);
  }
  send(HeartbeatReply{heartbeat.round, view_, {}});
}

void Observing::attach() {
  if (leader_) {
    return;
  }
  std::optional<Epoch> best;
  for (const auto& [id, said] : voters_) {
    // One of a lower epoch than was seen is deposed and does not know it yet: what it holds is
    // older than what was read here.
    if (said && said->role == Role::kLeading && said->established && said->reign >= epoch_ &&
        (!best || said->reign > *best)) {
      best = said->reign;
      leader_ = id;
    }
  }
  if (leader_) {
    ++run_;
    ++attachments_;
    heard_ = now_;
    announced_ = false;
    send(ObserverInfo{});
  }
}

void Observing::detach(std::string reason) {
  leader_ = MemberId{};
  if (std::exchange(started_, false)) {
    effects_.emplace_back(ReignEnded{std::move(reason)});
  }
}

void Observing::send(Message message) {
  effects_.emplace_back(Send{leader_, Envelope{run_, std::move(message)}});
}

}  // namespace ringside::coord
