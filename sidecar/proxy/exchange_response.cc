// The response on its way back, and the answers that we make ourselves.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

namespace {

constexpr std::string_view kUnprocessed = "x-ringside-unprocessed";
constexpr http::NewField kUnprocessedField{kUnprocessed, "1"};
// A response of up to this many bytes is judged when it is complete; a longer one, or one of
// unknown length, may be a stream and is judged by its head.
constexpr std::uint64_t kJudgeAtEndBytes = 1024 * 1024;

}  // namespace

bool Exchange::closing_down() const {
  return context_.stopping || (inbound_ && context_.draining);
}

bool Exchange::on_upstream_head(const http::ResponseHead& head) {
  last_byte_ = context_.loop.coarse_now();
  if (head.interim) {
    pass_interim(head);
    return true;
  }
  if (retry_fresh_after_408(head) || (!inbound_ && failed_by_head(head))) {
    return false;
  }
  if (refuse_head(head)) {
    return false;
  }
  pass_head(head);
  return true;
}

// The word of another sidecar; an app's own is not believed.
bool Exchange::says_unprocessed(const http::ResponseHead& head) const {
  const http::Field* mark = pool_->sidecar() ? head.find(kUnprocessed) : nullptr;
  return mark != nullptr && mark->value == "1";
}

// True when the response is not passed on because another try has begun.
bool Exchange::failed_by_head(const http::ResponseHead& head) {
  balancer::Failure failure{balancer::Cause::kStatus, head.status};
  std::string_view detail = http::status_phrase(head.status);
  if (says_unprocessed(head)) {
    failure = {balancer::Cause::kRefused};
    detail = "the other sidecar did not process it";
    if (head.status == status_of(Cause::kWrongInstance)) {
      context_.strangers.add(guard_.get().host->host, context_.loop.now());
    }
  } else if (balancer::outcome_of_status(head.status) != balancer::Outcome::kFailure) {
    return false;
  }
  settle(balancer::outcome_of(failure));
  return retry_elsewhere(failure, detail);
}

// The other side closed the idle connection while our request was on its way to it (RFC 9110,
// 15.5.9): a sidecar by the mark, an app as far as may be guessed.
bool Exchange::retry_fresh_after_408(const http::ResponseHead& head) {
  if (head.status != 408 || head.keep_alive) {
    return false;
  }
  const bool refused = says_unprocessed(head);
  return retry_fresh(refused ? balancer::Failure{balancer::Cause::kRefused}
                             : balancer::Failure{balancer::Cause::kStatus, head.status});
}

void Exchange::pass_interim(const http::ResponseHead& head) {
  if (request().minor_version == 0 || head_sent_ || downstream_->raw()) {
    return;  // HTTP/1.0 knows no interim responses (RFC 9110, 15.2)
  }
  http::ResponseEdits edits;
  edits.drop = http::FieldSet{http::FieldId::kRingside};
  http::write_response_head(head, edits, context_.to_downstream.text());
}

void Exchange::pass_head(const http::ResponseHead& head) {
  const auto framing = http::response_framing(request(), head);
  chunked_out_ = framing.kind == http::Framing::Kind::kChunked;
  until_close_ = framing.kind == http::Framing::Kind::kUntilClose;
  until_close_ = until_close_ || head.tunnel;
  // What follows a CONNECT may be no HTTP, whatever its answer was.
  keep_ = request().keep_alive && request_done_ && !until_close_ && !closing_down() &&
          asks_ != Asks::kConnect;
  status_ = head.status;
  std::array<http::NewField, 2> added;
  std::size_t count = 0;
  http::ResponseEdits edits;
  edits.framing = framing;
  edits.keep_framing_fields = http::keeps_framing_fields(request(), head);
  if (inbound_) {
    added[count++] = {"x-ringside-instance", context_.instance};
    if (context_.draining) {
      added[count++] = {"x-ringside-draining", "1"};
    }
  }
  if (inbound_ || !pool_->sidecar()) {
    edits.drop = http::FieldSet{http::FieldId::kRingside};
  }
  if (head.tunnel) {
    edits.connection = connection_option();
  } else if (!keep_) {
    edits.connection = http::ConnectionOption::kClose;
  } else if (head.status == 426 && head.upgrade) {
    edits.connection = http::ConnectionOption::kUpgrade;  // must say what is required
  } else if (request().minor_version == 0) {
    edits.connection = http::ConnectionOption::kKeepAlive;
  }
  edits.add = std::span(added).first(count);
  if (!downstream_->raw()) {
    http::write_response_head(head, edits, context_.to_downstream.text());
  }
  head_sent_ = true;
  phase_ = Phase::kResponding;
  if (chunked_out_ || (until_close_ && !head.tunnel) || framing.length > kJudgeAtEndBytes) {
    settle(balancer::outcome_of_status(status_));
  }
}

bool Exchange::on_upstream_body(std::span<const char> piece) {
  bytes_out_ += piece.size();
  Gather& gather = context_.to_downstream;
  const std::string_view bytes{piece.data(), piece.size()};
  if (chunked_out_) {
    gather.text().append(http::ChunkHeader(bytes.size()).view());
    gather.body(bytes);
    gather.text().append(http::kChunkEnd);
  } else {
    gather.body(bytes);
  }
  return true;
}

void Exchange::on_upstream_pause() {
  // Bytes of a head are no sign of life until there is one.
  if (head_sent_) {
    last_byte_ = context_.loop.coarse_now();
  }
  if (!flush_response()) {
    abandon();
    downstream_->close();
    return;
  }
  const bool forwards = forward_response();
  if (downstream_->pending_bytes() > (forwards ? 0 : kHighWater)) {
    connection_->stream().read_stop();
  }
  downstream_->rearm();
}

void Exchange::on_downstream_drained() {
  last_byte_ = context_.loop.coarse_now();
  if (connection_ != nullptr && tunnel_ == nullptr) {
    connection_->stream().read_start();
  }
}

bool Exchange::flush_response(bool last) {
  if (context_.to_downstream.empty()) {
    return true;
  }
  if (downstream_->closed()) {
    context_.to_downstream.clear();
    return false;
  }
  return downstream_->flush(last) != net::WriteResult::kBroken;
}

void Exchange::on_upstream_end(bool reusable) {
  if (chunked_out_) {
    http::write_last_chunk(connection_->parser().trailers(), context_.to_downstream.text());
  }
  // A server that was offered an upgrade may read on by another protocol: never pooled.
  const bool clean = reusable && request_done_ && !upstream_broken_ &&
                     connection_->stream().pending_bytes() == 0 && asks_ == Asks::kExchange;
  settle(balancer::outcome_of_status(status_));
  release_try(clean);
  finish(status_, "");
}

void Exchange::on_upstream_failed(const UpstreamFailure& failure) {
  const balancer::Failure kind{failure.reset ? balancer::Cause::kReset
                                             : balancer::Cause::kBadResponse};
  if (!failure.reset) {
    context_.metrics.bad_responses.add(failure.detail);
  }
  if (!head_sent_) {
    context_.to_downstream.clear();
    try_failed(kind, failure.detail);
    return;
  }
  settle(balancer::outcome_of(kind));
  break_off(balancer::label(kind));
}

// The response has begun and can't be completed: what the caller got must not look complete.
void Exchange::break_off(std::string_view cause) {
  keep_ = false;
  if (until_close_) {
    downstream_->close_with_reset();
  }
  finish(status_, cause);
}

void Exchange::answer(Cause cause, std::string_view detail, std::string_view hint) {
  release_try(false);
  keep_ = request().keep_alive && request_done_ && !closing_down() && asks_ != Asks::kConnect;
  write_answer(cause, detail, hint);
  status_ = status_of(cause);
  head_sent_ = true;
  finish(status_, to_string(cause));
}

void Exchange::write_answer(Cause cause, std::string_view detail, std::string_view hint) {
  if (downstream_->raw()) {
    refuse_raw(to_string(cause), detail);
    return;
  }
  std::vector<std::string> endpoints;
  std::vector<AttemptLine> lines;
  if (trail_ != nullptr) {
    endpoints.reserve(trail_->attempt_count);  // lines point into it
    for (const Attempt& attempt : std::span(trail_->attempts).first(trail_->attempt_count)) {
      endpoints.push_back(endpoint_text(attempt.host));
      lines.push_back({endpoints.back(), attempt.outcome, attempt.detail, attempt.took});
    }
  }
  const std::string_view upstream =
      inbound_ && context_.settings->service ? context_.settings->service->name : service_.view();
  context_.scratch.clear();
  write_answer_body({cause, upstream, detail, hint, request_id_, lines}, context_.scratch);
  std::array<http::NewField, 6> fields;
  std::size_t count = 0;
  fields[count++] = {"Content-Type", "text/plain; charset=utf-8"};
  fields[count++] = {"x-ringside-error", to_string(cause)};
  fields[count++] = {"x-request-id", request_id_};
  if (inbound_) {
    fields[count++] = {"x-ringside-instance", context_.instance};
    if (unprocessed_ && !sent_) {
      fields[count++] = kUnprocessedField;
    }
    if (context_.draining) {
      fields[count++] = {"x-ringside-draining", "1"};
    }
  }
  http::OwnResponse response;
  response.status = status_of(cause);
  response.fields = std::span(fields).first(count);
  response.body = context_.scratch;
  response.head_only = request().method == http::Method::kHead;
  response.connection = !keep_                         ? http::ConnectionOption::kClose
                        : request().minor_version == 0 ? http::ConnectionOption::kKeepAlive
                                                       : http::ConnectionOption::kNone;
  http::write_own_response(response, context_.to_downstream.text());
}

std::string Exchange::endpoint_text(const balancer::HostEntry* host) const {
  if (host != nullptr) {
    return config::Address{host->endpoint.host, host->endpoint.port}.to_string();
  }
  return context_.settings->service ? context_.settings->service->address.to_string() : "";
}

}  // namespace ringside::proxy
