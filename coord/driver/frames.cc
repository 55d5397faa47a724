// What other members send, sorted: requests, snapshots, digests and touches are the driver's, the
// rest is the step machine's.
#include <fmt/format.h>

#include <utility>

#include "coord/codec/request_codec.h"
#include "coord/driver/state.h"

namespace ringside::coord {

namespace {

bool is_request(const Message& message) {
  return std::holds_alternative<ForwardedRequest>(message) ||
         std::holds_alternative<ForwardedRequests>(message);
}

}  // namespace

void Driver::State::send(MemberId to, Envelope envelope) {
  if (!links.contains(to)) {
    return;
  }
  if (auto* heartbeat = std::get_if<Heartbeat>(&envelope.message)) {
    heartbeat->applied = registry.applied();
    heartbeat->digest = registry.digest();
    heartbeat->scope_digest = registry.scope_digest();
  } else if (auto* answer = std::get_if<HeartbeatReply>(&envelope.message)) {
    answer->touches = touches.take(kMaxTouches);
    answer->routed = own_routed;
  }
  send_as_it_is(to, std::move(envelope));
}

void Driver::State::send_as_it_is(MemberId to, Envelope envelope) {
  const auto link = links.find(to);
  if (link == links.end()) {
    return;
  }
  ports.send(to, make_frame(encode_peer_frame(link->second.number_frame(std::move(envelope)),
                                              link->second.version())));
}

void Driver::State::ask(RequestId id, Request request) {
  Reply refusal;
  refusal.zxid = view();
  if (!within_bounds(request)) {
    refusal.error = ZkError::kBadArguments;
    ports.reply(id, std::move(refusal));
    return;
  }
  refusal.error = ZkError::kConnectionLoss;
  if (!reign || requests.size() >= options.max_outstanding_requests) {
    ports.reply(id, std::move(refusal));
    return;
  }
  const RequestId ring = requests.add(id);
  if (leads()) {
    if (!lead(options.self, reign->run, ring, std::move(request))) {
      reply(ring, std::move(refusal));
    }
    return;
  }
  Bytes bytes = encode_request(request);
  if (to_leader.requests.size() >= kMaxForwarded ||
      to_leader_bytes + bytes.size() > kMaxForwardedBytes) {
    send_gathered_requests();
  }
  to_leader_bytes += bytes.size();
  to_leader.requests.push_back({ring, std::move(bytes)});
}

void Driver::State::send_gathered_requests() {
  ForwardedRequests gathered_now = std::exchange(to_leader, {});
  to_leader_bytes = 0;
  if (gathered_now.requests.size() == 1) {
    send(reign->leader, {reign->run, std::move(gathered_now.requests.front())});
  } else if (!gathered_now.requests.empty()) {
    send(reign->leader, {reign->run, std::move(gathered_now)});
  }
}

Status Driver::State::receive(MemberId peer, Envelope envelope) {
  return is_voter(peer) ? receive_from_voter(peer, std::move(envelope))
                        : receive_from_observer(peer, std::move(envelope));
}

Status Driver::State::receive_from_observer(MemberId peer, Envelope envelope) {
  const std::uint64_t run_number = envelope.run;
  if (std::holds_alternative<ObserverInfo>(envelope.message)) {
    if (!zab || !leads()) {
      return {};  // it hears from the next notification who leads
    }
    feed.attach(peer, run_number, now);
    drop_stale_outgoing();
    begin_waiting_feeds();
    return {};
  }
  if (const auto* ack = std::get_if<SnapshotAck>(&envelope.message)) {
    return receive_snapshot_ack(peer, run_number, *ack);
  }
  if (is_request(envelope.message)) {
    return receive_requests(peer, run_number, envelope.message);
  }
  if (const auto* answer = std::get_if<HeartbeatReply>(&envelope.message)) {
    if (leads() && feed.attached(peer, run_number)) {
      feed.heard(peer, *answer, now);
      hear_touches(peer, answer->touches);
    }
    return {};
  }
  return fail(ErrorCode::kInvalid, fmt::format("{} from an observer", name_of(envelope.message)));
}

Status Driver::State::receive_from_voter(MemberId peer, Envelope envelope) {
  if (auto* chunk = std::get_if<SnapshotChunk>(&envelope.message)) {
    return receive_chunk(peer, envelope.run, std::move(*chunk));
  }
  if (const auto* ack = std::get_if<SnapshotAck>(&envelope.message)) {
    const Status status = receive_snapshot_ack(peer, envelope.run, *ack);
    post(Received{peer, std::move(envelope)});  // it is alive
    return status;
  }
  if (is_request(envelope.message)) {
    return receive_requests(peer, envelope.run, envelope.message);
  }
  const bool current = reign && reign->leader == peer && reign->run == envelope.run;
  if (const auto* refused = std::get_if<RequestRefused>(&envelope.message)) {
    if (current) {
      Reply answer;
      answer.error = ZkError::kConnectionLoss;
      answer.zxid = view();
      reply(refused->id, std::move(answer));
    }
    return {};
  }
  if (auto* answer = std::get_if<RequestAnswer>(&envelope.message)) {
    if (current) {
      if (observing) {
        observing->view_reached(answer->zxid);
      }
      requests.wait_for(answer->id, answer->zxid, std::move(answer->reply));
      settle_turn();
    }
    return {};
  }
  if (const auto* heartbeat = std::get_if<Heartbeat>(&envelope.message)) {
    receive_digest(peer, envelope.run, *heartbeat);
  } else if (const auto* answer = std::get_if<HeartbeatReply>(&envelope.message)) {
    if (leads() && attached(peer, envelope.run)) {
      hear_touches(peer, answer->touches);
    }
  }
  post(Received{peer, std::move(envelope)});
  return {};
}

Status Driver::State::receive_requests(MemberId peer, std::uint64_t run_number,
                                       const Message& message) {
  if (const auto* one = std::get_if<ForwardedRequest>(&message)) {
    return receive_request(peer, run_number, *one);
  }
  for (const ForwardedRequest& request : std::get<ForwardedRequests>(message).requests) {
    if (Status status = receive_request(peer, run_number, request); !status) {
      return status;
    }
  }
  return {};
}

Status Driver::State::receive_request(MemberId peer, std::uint64_t run_number,
                                      const ForwardedRequest& request) {
  Result<Request> decoded = decode_request(request.request);
  if (!decoded) {
    return std::unexpected(decoded.error());
  }
  if (!attached(peer, run_number)) {
    return {};  // asked under an attachment that is over: answered there already (D10)
  }
  if (!lead(peer, run_number, request.id, std::move(*decoded))) {
    send(peer, {run_number, RequestRefused{request.id}});
  }
  return {};
}

void Driver::State::receive_digest(MemberId peer, std::uint64_t run_number,
                                   const Heartbeat& heartbeat) {
  if (!heartbeat.applied.packed) {
    return;
  }
  std::optional<Digest> differs;
  if (zab) {
    differs = digests.heard({heartbeat.applied, heartbeat.digest});
  } else if (reign && reign->leader == peer && reign->run == run_number &&
             registry.scope_digest() != heartbeat.scope_digest) {
    // All that the leader fed before this is applied: links keep order.
    differs = Digest{heartbeat.applied, registry.scope_digest()};
  }
  if (differs) {  // D13
    fence({ErrorCode::kCorrupt,
           fmt::format("the tree of {} has digest {:#x} here and {:#x} at the leader {}",
                       differs->zxid.to_string(), differs->value,
                       zab ? heartbeat.digest : heartbeat.scope_digest, peer.value)});
  }
}

}  // namespace ringside::coord
