#include "tests/sim/network.h"

#include <algorithm>

namespace ringside::sim {

namespace {

MemberId other_of(const std::pair<MemberId, MemberId>& pair, MemberId id) {
  return pair.first == id ? pair.second : pair.first;
}

}  // namespace

void Network::add(MemberId id, NetworkMember& member) {
  for (const auto& [peer, unused] : members_) {
    const Pair pair = pair_of(id, peer);
    links_[pair].ends[id];
    links_[pair].ends[peer];
    dial_later(pair);
  }
  members_[id] = &member;
}

Duration Network::latency() {
  if (rng_.chance(0.002)) {
    return milliseconds(rng_.between(2, 60));
  }
  return Duration(rng_.between(low_.count(), high_.count()));
}

void Network::dial_later(Pair pair) {
  Link& link = links_.at(pair);
  if (!link.dialing) {
    link.dialing = true;
    queue_.after(milliseconds(rng_.between(5, 120)), [this, pair] { dial(pair); });
  }
}

void Network::dial(Pair pair) {
  Link& link = links_.at(pair);
  const MemberId dialer = pair.second;
  if (link.ends.at(dialer).up || !members_.at(dialer)->reachable()) {
    link.dialing = false;  // dialled anew when that end goes down, or the member comes back
    if (!link.ends.at(dialer).up) {
      dial_later(pair);
    }
    return;
  }
  queue_.after(latency() + latency(), [this, pair] { connect(pair); });
}

void Network::connect(Pair pair) {
  Link& link = links_.at(pair);
  link.dialing = false;
  const auto [a, b] = pair;
  NetworkMember& first = *members_.at(a);
  NetworkMember& second = *members_.at(b);
  const bool possible = first.reachable() && second.reachable() && !blocked(a, b) &&
                        !blocked(b, a) && !unplugged_.contains(a) && !unplugged_.contains(b);
  if (!possible || !first.accept_peer(second.handshake()).has_value() ||
      !second.accept_peer(first.handshake()).has_value()) {
    dial_later(pair);
    return;
  }
  for (auto& [id, end] : link.ends) {
    if (end.up) {  // a half-open end of the connection before gives way to the new one
      drop_end(pair, id);
    }
    end = End{};
  }
  const std::uint64_t connection = ++link.connection;
  link.dialing = false;
  for (auto& [id, end] : link.ends) {
    end.up = true;
    const MemberId self = id;
    queue_.after(latency(), [this, pair, self, connection] {
      Link& now = links_.at(pair);
      if (now.connection != connection || !now.ends.at(self).up) {
        return;
      }
      now.ends.at(self).told = true;
      members_.at(self)->link_up(other_of(pair, self));
      pump(pair, self);
    });
    end.pumping = true;  // nothing is delivered before link_up
  }
  trace_.say("link {}-{} up", a.value, b.value);
}

void Network::send(MemberId from, MemberId to, std::shared_ptr<const Bytes> frame) {
  const Pair pair = pair_of(from, to);
  const auto found = links_.find(pair);
  if (found == links_.end() || !found->second.ends.at(from).up) {
    return;
  }
  End& end = found->second.ends.at(to);
  if (!end.up || end.end_of_stream) {
    return;  // into a connection that is dead at the other side
  }
  const auto noise = noisy_.find({from, to});
  if (noise != noisy_.end() && rng_.chance(noise->second)) {
    mishandle(pair, to, std::move(frame));
  } else {
    enqueue(pair, to, std::move(frame), Carriage::kAsSent);
  }
}

void Network::enqueue(Pair pair, MemberId to, std::shared_ptr<const Bytes> frame, Carriage how) {
  End& end = links_.at(pair).ends.at(to);
  Instant arrives = queue_.now() + latency();
  if (!end.inbox.empty()) {
    arrives = std::max(arrives, end.inbox.back().arrives);
  }
  if (std::exchange(end.lost_one, false) && how == Carriage::kAsSent) {
    how = Carriage::kOutOfOrder;
  }
  end.inbox.push_back({arrives, std::move(frame), how});
  if (!end.pumping) {
    pump(pair, to);
  }
}

void Network::mishandle(Pair pair, MemberId to, std::shared_ptr<const Bytes> frame) {
  const MemberId from = other_of(pair, to);
  End& end = links_.at(pair).ends.at(to);
  std::shared_ptr<const Bytes>& remembered = remembered_[{from, to}];
  switch (rng_.below(5)) {
    case 0:
      trace_.say("a frame from {} to {} comes twice", from.value, to.value);
      enqueue(pair, to, frame, Carriage::kOutOfOrder);
      enqueue(pair, to, frame, Carriage::kOutOfOrder);
      remembered = std::move(frame);
      break;
    case 1:
      enqueue(pair, to, frame, Carriage::kOutOfOrder);
      if (remembered != nullptr) {
        trace_.say("an old frame from {} to {} comes again", from.value, to.value);
        enqueue(pair, to, remembered, Carriage::kOutOfOrder);
      }
      remembered = std::move(frame);
      break;
    case 2:
      enqueue(pair, to, std::move(frame), Carriage::kOutOfOrder);
      if (end.inbox.size() > 1) {
        trace_.say("two frames from {} to {} change places", from.value, to.value);
        Message& last = end.inbox.back();
        Message& before = end.inbox[end.inbox.size() - 2];
        before.how = Carriage::kOutOfOrder;
        std::swap(last.frame, before.frame);
      }
      break;
    case 3:
      trace_.say("a frame from {} to {} is lost", from.value, to.value);
      end.lost_one = true;
      // Nothing repeats it, so in the end the connection breaks.
      queue_.after(milliseconds(rng_.between(0, 3000)),
                   [this, pair, connection = links_.at(pair).connection] {
                     if (links_.at(pair).connection == connection) {
                       break_link(pair.first, pair.second);
                     }
                   });
      break;
    default: {
      trace_.say("a byte of a frame from {} to {} is changed", from.value, to.value);
      Bytes changed = *frame;
      changed[rng_.below(changed.size())] ^= static_cast<std::uint8_t>(1 + rng_.below(255));
      enqueue(pair, to, std::make_shared<const Bytes>(std::move(changed)), Carriage::kChanged);
    }
  }
}

void Network::pump(Pair pair, MemberId to) {
  Link& link = links_.at(pair);
  End& end = link.ends.at(to);
  end.pumping = false;
  if (!end.up || blocked(other_of(pair, to), to)) {
    return;
  }
  if (end.inbox.empty()) {
    if (end.end_of_stream) {
      drop_end(pair, to);
      dial_later(pair);
    }
    return;
  }
  end.pumping = true;
  queue_.at(end.inbox.front().arrives,
            [this, pair, to, connection = link.connection] { deliver_head(pair, to, connection); });
}

void Network::deliver_head(Pair pair, MemberId to, std::uint64_t connection) {
  Link& link = links_.at(pair);
  End& end = link.ends.at(to);
  if (link.connection != connection || !end.up) {
    return;
  }
  if (!end.inbox.empty() && !blocked(other_of(pair, to), to)) {
    const Message message = std::move(end.inbox.front());
    end.inbox.pop_front();
    members_.at(to)->frame(other_of(pair, to), message.frame, message.how);
  }
  pump(pair, to);
}

void Network::drop_end(Pair pair, MemberId at) {
  End& end = links_.at(pair).ends.at(at);
  end.up = false;
  end.inbox.clear();
  end.end_of_stream = false;
  if (std::exchange(end.told, false)) {
    members_.at(at)->link_down(other_of(pair, at));
  }
}

void Network::close(MemberId from, MemberId to) {
  const Pair pair = pair_of(from, to);
  const auto found = links_.find(pair);
  if (found == links_.end() || !found->second.ends.at(from).up) {
    return;
  }
  drop_end(pair, from);
  End& peer = found->second.ends.at(to);
  peer.end_of_stream = true;
  if (peer.up && !peer.pumping) {
    peer.pumping = true;
    queue_.after(latency(), [this, pair, to, connection = found->second.connection] {
      if (links_.at(pair).connection == connection) {
        pump(pair, to);
      }
    });
  }
  dial_later(pair);
}

void Network::member_died(MemberId id) {
  for (auto& [pair, link] : links_) {
    if ((pair.first == id || pair.second == id) && link.ends.at(id).up) {
      close(id, other_of(pair, id));
    }
  }
}

void Network::break_link(MemberId a, MemberId b) {
  const Pair pair = pair_of(a, b);
  for (const MemberId id : {a, b}) {
    End& end = links_.at(pair).ends.at(id);
    if (!end.up) {
      continue;
    }
    // Some of the bytes under way get through; each end learns of it in its own time.
    end.inbox.resize(rng_.below(end.inbox.size() + 1));
    end.end_of_stream = true;
    if (!end.inbox.empty()) {
      if (!end.pumping) {
        pump(pair, id);
      }
      continue;  // the reset comes behind them
    }
    end.pumping = true;
    queue_.after(milliseconds(rng_.between(0, 80)),
                 [this, pair, id, connection = links_.at(pair).connection] {
                   if (links_.at(pair).connection == connection) {
                     pump(pair, id);
                   }
                 });
  }
}

void Network::set_unplugged(MemberId id, bool unplugged) {
  if (unplugged) {
    unplugged_.insert(id);
  } else {
    unplugged_.erase(id);
  }
}

void Network::set_blocked(MemberId from, MemberId to, bool blocked) {
  if (blocked) {
    blocked_.insert({from, to});
    return;
  }
  blocked_.erase({from, to});
  const Pair pair = pair_of(from, to);
  if (links_.contains(pair) && !links_.at(pair).ends.at(to).pumping) {
    pump(pair, to);
  }
}

void Network::set_noise(MemberId from, MemberId to, double chance) {
  if (chance > 0) {
    noisy_[{from, to}] = chance;
  } else {
    noisy_.erase({from, to});
  }
}

void Network::heal() {
  noisy_.clear();
  unplugged_.clear();
  set_usual_latency();
  for (const Pair& one : std::set<Pair>(blocked_)) {
    set_blocked(one.first, one.second, false);
  }
}

}  // namespace ringside::sim
