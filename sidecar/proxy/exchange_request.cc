// The request on its way out: head, held body, what follows; backpressure on the caller.
#include <array>

#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

namespace {

constexpr http::FieldSet kDropFromRequest{http::FieldId::kRingside, http::FieldId::kXRequestId};

// The fields that every request gets, and the few that only some do.
struct AddedFields {
  std::array<http::NewField, 6> fields;
  std::size_t count = 0;
  void add(std::string_view name, std::string_view value) { fields[count++] = {name, value}; }
  [[nodiscard]] std::span<const http::NewField> view() const {
    return std::span(fields).first(count);
  }
};

void keep_deadline(const http::RequestHead& head, AddedFields& added) {
  if (const http::Field* deadline = head.find("x-ringside-deadline")) {
    added.add(deadline->name, deadline->value);
  }
}

}  // namespace

void Exchange::send_request() {
  std::string& out = context_.to_upstream.text();
  if (inbound_) {
    write_inbound_head(out);
  } else {
    write_outbound_head(out);
  }
  if (!held_.empty()) {
    write_request_piece(held_);
  }
  if (request_done_) {
    write_request_end();
  }
}

void Exchange::write_outbound_head(std::string& out) {
  AddedFields added;
  added.add("x-request-id", request_id_);
  if (pool_->sidecar()) {
    const balancer::Endpoint& endpoint = guard_.get().host->endpoint;
    added.add("x-ringside-service", service_.view());
    added.add("x-ringside-instance", endpoint.instance);
    added.add("x-ringside-ring", context_.settings->ring.name);
  }
  keep_deadline(request(), added);
  const std::array forwarded{http::AppendedField{http::FieldId::kXForwardedFor, "X-Forwarded-For",
                                                 downstream_->peer_ip()}};
  http::RequestEdits edits;
  edits.target = target_;
  edits.host = service_.view();
  edits.framing = request().framing;
  edits.connection = connection_option();
  edits.drop = kDropFromRequest;
  edits.append = forwarded;
  edits.add = added.view();
  http::write_request_head(request(), edits, out);
}

void Exchange::write_inbound_head(std::string& out) {
  AddedFields added;
  added.add("x-request-id", request_id_);
  keep_deadline(request(), added);
  const std::array forwarded{http::AppendedField{http::FieldId::kXForwardedFor, "X-Forwarded-For",
                                                 downstream_->peer_ip()}};
  http::RequestEdits edits;
  if (request().form == http::TargetForm::kAbsolute) {
    // The app is no proxy: origin form, and the Host that counts (RFC 9112, 3.2.1 and 3.2.2).
    const http::Route route = http::route_name(request(), {});
    edits.target = route.target;
    edits.host = route.authority;
  } else if (!request().has(http::FieldId::kHost)) {
    edits.host = context_.settings->service->name;  // HTTP/1.0 needs none, HTTP/1.1 does
  }
  edits.framing = request().framing;
  edits.connection = connection_option();
  edits.drop = kDropFromRequest;
  edits.append = forwarded;
  edits.add = added.view();
  http::write_request_head(request(), edits, out);
}

http::ConnectionOption Exchange::connection_option() const {
  return asks_ == Asks::kUpgrade ? http::ConnectionOption::kUpgrade : http::ConnectionOption::kNone;
}

void Exchange::on_body(std::span<const char> piece) {
  bytes_in_ += piece.size();
  if (!running()) {
    return;  // answered already; Downstream reads on only to close in order
  }
  last_byte_ = context_.loop.coarse_now();
  hold(piece);
  if (connected()) {
    write_request_piece({piece.data(), piece.size()});
  } else if (held_.size() >= kHoldBytes) {
    downstream_->pause();
  }
}

void Exchange::hold(std::span<const char> piece) {
  if (!replayable_) {
    return;
  }
  if (connected() && held_.size() + piece.size() > kHoldBytes) {
    replayable_ = false;  // given back in flush_request
    return;
  }
  held_.append(piece.data(), piece.size());
}

void Exchange::write_request_piece(std::string_view bytes) {
  if (upstream_broken_ || bytes.empty()) {
    return;
  }
  Gather& gather = context_.to_upstream;
  if (request().framing.kind == http::Framing::Kind::kChunked) {
    gather.text().append(http::ChunkHeader(bytes.size()).view());
    gather.body(bytes);
    gather.text().append(http::kChunkEnd);
  } else {
    gather.body(bytes);
  }
}

void Exchange::on_end() {
  if (!running() || request_done_) {
    return;
  }
  request_done_ = true;
  last_byte_ = context_.loop.coarse_now();
  if (connected()) {
    write_request_end();  // the response's time begins when all has left: flush_request
  } else {
    response_from_ = last_byte_;
  }
}

void Exchange::start_response_clock() {
  if (request_done_ && response_from_ == kNever && connection_->stream().pending_bytes() == 0) {
    response_from_ = context_.loop.coarse_now();
  }
}

void Exchange::write_request_end() {
  if (!upstream_broken_ && request().framing.kind == http::Framing::Kind::kChunked) {
    http::write_last_chunk(downstream_->parser().trailers(), context_.to_upstream.text());
  }
}

void Exchange::flush_request() {
  if (!connected() || (!context_.to_upstream.empty() && !send_gathered())) {
    return;
  }
  start_response_clock();
  const bool forwards = forward_request();
  if (connection_->stream().pending_bytes() > (forwards ? 0 : kHighWater)) {
    downstream_->pause();
  } else {
    downstream_->resume();
  }
}

// False when it could not, and something else has begun.
bool Exchange::send_gathered() {
  const auto result = context_.to_upstream.flush(connection_->stream());
  if (!replayable_ && !held_.empty()) {
    std::string().swap(held_);
  }
  if (held_.size() > kHoldBytes) {
    replayable_ = false;
    std::string().swap(held_);
  }
  if (result == net::WriteResult::kBroken) {
    upstream_broken_ = true;
    if (!sent_) {
      // Nothing left this machine, so nothing can come back either.
      connection_->detach();
      try_failed({balancer::Cause::kReset}, "the connection was closed before the request");
      return false;
    }
    return true;
  }
  sent_ = true;
  unsent_.drop();
  if (result == net::WriteResult::kPending) {
    progress_.note(connection_->stream());
  }
  return true;
}

void Exchange::on_upstream_drained() {
  last_byte_ = context_.loop.coarse_now();
  progress_.note(connection_->stream());
  start_response_clock();
  downstream_->resume();
  downstream_->rearm();
}

void Exchange::on_bad_body(const http::ParseError& error) {
  if (!running()) {
    return;
  }
  context_.metrics.bad_requests.add(http::to_string(error.reason));
  settle(balancer::Outcome::kNeutral);
  keep_ = false;
  if (head_sent_) {
    break_off("bad_request");
    return;
  }
  answer(
      error.cause == http::Cause::kHeadersTooLarge ? Cause::kHeadersTooLarge : Cause::kBadRequest,
      http::to_string(error.reason));
}

}  // namespace ringside::proxy
