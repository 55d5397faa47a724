// Tries and retries.
//
// Good path: start_try takes a pooled connection (or connects), use() sends the request.
// Failure paths: connect fails (connect_failure: nothing was processed); a reused connection ends
// without a byte, or by a 408 (once more on a fresh connection to the same host where that is safe,
// without counting: it says nothing about the host); the response says that nothing was processed
// (refused); reset, timeout, bad response, failing status: by balancer/retry on another host, else
// the caller gets our answer, or the response as it is.
#include <algorithm>
#include <utility>

#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

namespace {

std::string_view connect_detail(ErrorCode code) {
  switch (code) {
    case ErrorCode::kRefused: return "connection refused";
    case ErrorCode::kTimeout: return "no answer within timeouts.connect";
    case ErrorCode::kNotFound: return "the name can't be resolved";
    case ErrorCode::kUnavailable: return "no route";
    default: return "cannot connect";
  }
}

Cause cause_of(const balancer::Failure& failure) {
  switch (failure.cause) {
    case balancer::Cause::kConnectFailure: return Cause::kConnectFailure;
    case balancer::Cause::kTimeout: return Cause::kTimeout;
    case balancer::Cause::kBadResponse: return Cause::kBadResponse;
    // A refusal and a failing status are passed on as they are, never answered by us.
    case balancer::Cause::kRefused:
    case balancer::Cause::kStatus:
    case balancer::Cause::kReset: return Cause::kReset;
  }
  return Cause::kReset;
}

}  // namespace

void Exchange::start_try() {
  phase_ = Phase::kConnecting;
  sent_ = upstream_broken_ = false;
  pool_ = PoolLease(inbound_ ? context_.pools.app(context_.settings->service->address)
                             : context_.pools.of(*guard_.get().host));
  if (!fresh_only_) {
    if (auto connection = idle_connection(*pool_)) {
      begin_try();
      use(std::move(connection));
      return;
    }
  }
  if (inbound_ || room_to_connect()) {
    connect();
  }
}

// Goes to the host now, be it by a connection that is there or by a new one.
void Exchange::begin_try() {
  ++tries_;
  try_started_ = context_.loop.now();
  if (!inbound_) {
    unsent_ = context_.routed.picked();
  }
}

void Exchange::connect() {
  phase_ = Phase::kConnecting;
  begin_try();
  connect_.emplace(context_.loop, pool_->address(), timeouts_.connect,
                   [this](auto stream) { on_connected(std::move(stream)); });
}

// One that is good for this request. CONNECT always takes a connection of its own: a fresh one is
// not closed just then by its idle time.
std::unique_ptr<UpstreamConnection> Exchange::idle_connection(HostPool& pool) {
  if (asks_ == Asks::kConnect) {
    return nullptr;
  }
  return pool.take(reuse(pool));
}

// A connection may be ending just now. A sidecar says then that it processed nothing, and an
// idempotent request may be sent twice, but either only as long as all of it is at hand.
Reuse Exchange::reuse(const HostPool& pool) const {
  const http::Framing& framing = request().framing;
  const bool held = !framing.has_body() ||
                    (framing.kind == http::Framing::Kind::kLength && framing.length <= kHoldBytes);
  const bool idempotent = http::is_idempotent(request().method);
  return {.once = !held || !(idempotent || pool.sidecar()), .verify = !held || !idempotent};
}

std::span<const balancer::Host* const> Exchange::tried() const {
  if (trail_ == nullptr) {
    return {};
  }
  return std::span(trail_->tried).first(trail_->tried_count);
}

void Exchange::on_connected(Result<std::unique_ptr<net::TcpStream>> stream) {
  connect_.reset();
  if (!stream) {
    try_failed({balancer::Cause::kConnectFailure}, connect_detail(stream.error().code));
    return;
  }
  auto connection = pool_->adopt(std::move(*stream));
  connection->hold(std::move(opening_));
  if (asks_ == Asks::kConnect && !pool_->sidecar()) {
    connect_directly(std::move(connection));
  } else {
    use(std::move(connection));
  }
  downstream_->rearm();
}

void Exchange::use(std::unique_ptr<UpstreamConnection> connection) {
  connection_ = std::move(connection);
  connection_->begin(*this, request().method, asks_ == Asks::kUpgrade);
  progress_.forget();
  phase_ = Phase::kWaiting;
  last_byte_ = context_.loop.coarse_now();
  send_request();
  if (!downstream_->processing()) {
    flush_request();
  }
}

void Exchange::settle(balancer::Outcome outcome) {
  const Instant now = context_.loop.now();
  guard_.settle(outcome, now - try_started_, now);
}

void Exchange::try_failed(balancer::Failure failure, std::string_view detail) {
  if (retry_fresh(failure)) {
    return;
  }
  settle(balancer::outcome_of(failure));
  if (retry_elsewhere(failure, detail)) {
    return;
  }
  note_attempt(failure, detail);
  answer(cause_of(failure), detail);
}

// A connection that the other side had closed, or was about to close: the same host again. Safe
// where the other sidecar says so, where nothing was sent, or for what may be sent twice.
bool Exchange::retry_fresh(const balancer::Failure& failure) {
  if (connection_ == nullptr || fresh_only_) {
    return false;
  }
  const bool refused = failure.cause == balancer::Cause::kRefused;
  const bool silent = failure.cause == balancer::Cause::kReset && !connection_->answered();
  const bool too_late = failure.cause == balancer::Cause::kStatus;  // a 408
  if (connection_->reused() && (refused || silent || too_late)) {
    pool_->note_idle_end(*connection_);
  } else if (!refused) {
    return false;
  }
  const bool again = refused || (silent && !sent_) || http::is_idempotent(request().method);
  if (!replayable_ || !again) {
    return false;
  }
  if (!inbound_ && !still_offered()) {
    return false;
  }
  unprocessed_ = unprocessed_ && (refused || !sent_);
  fresh_only_ = true;
  if (stats_ != nullptr) {
    stats_->retries.add(balancer::label(failure));
  }
  try_again(connection_->take_permit());
  return true;
}

// `permit`: of the connection to be replaced, if it is to the same host: nobody comes in between.
void Exchange::try_again(balancer::Permit permit) {
  context_.to_downstream.clear();  // interim responses of this try that did not leave yet
  release_try(false);
  opening_ = std::move(permit);
  start_try();
  downstream_->rearm();
}

// By the table in use now, the host of this pick could have been picked: going to it again is no
// later than a new pick.
bool Exchange::still_offered() const {
  const auto* table = context_.view.table();
  if (table == pick_pin_.table()) {
    return true;
  }
  const balancer::Upstream* upstream = table == nullptr ? nullptr : table->find(service_.view());
  return upstream != nullptr &&
         std::ranges::any_of(upstream->hosts(), [this](const balancer::HostEntry& entry) {
           return entry.host == guard_.get().host->host &&
                  entry.endpoint.state != balancer::EndpointState::kDraining;
         });
}

// On another host, if rule and hosts allow it. The failed try is settled before.
bool Exchange::retry_elsewhere(const balancer::Failure& failure, std::string_view detail) {
  if (inbound_ || tries_ >= kMaxAttempts) {
    return false;
  }
  const auto decision = balancer::decide_retry(guard_.get().upstream->settings().retry,
                                               {.failure = failure,
                                                .method = http::to_string(request().method),
                                                .sent = sent_ && asks_ != Asks::kConnect,
                                                .replayable = replayable_,
                                                .response_started = head_sent_,
                                                .retries = retries_,
                                                .unprocessed = unprocessed_retries_});
  if (!decision.retry()) {
    return false;
  }
  Trail& so_far = trail();
  so_far.tried[so_far.tried_count++] = guard_.get().host->host.get();
  const std::size_t noted = so_far.attempt_count;
  note_attempt(failure, detail);
  if (pick_host()) {
    so_far.attempt_count = noted;  // nobody else: this try stays the last one
    return false;
  }
  ++(decision.verdict == balancer::RetryVerdict::kRetry ? retries_ : unprocessed_retries_);
  stats_->retries.add(decision.reason);
  fresh_only_ = false;
  try_again();
  return true;
}

Exchange::Trail& Exchange::trail() {
  if (trail_ == nullptr) {
    trail_ = std::make_unique<Trail>();
  }
  return *trail_;
}

void Exchange::note_attempt(const balancer::Failure& failure, std::string_view detail) {
  Trail& so_far = trail();
  if (so_far.attempt_count == kMaxAttempts) {
    return;
  }
  Attempt& attempt = so_far.attempts[so_far.attempt_count++];
  attempt.host = inbound_ ? nullptr : guard_.get().host;
  attempt.pin = pick_pin_;
  attempt.outcome = balancer::label(failure);
  attempt.detail = detail;
  attempt.took = context_.loop.now() - try_started_;
}

void Exchange::timed_out(std::string_view detail, bool may_retry) {
  const balancer::Failure failure{balancer::Cause::kTimeout};
  reset_try();
  if (!may_retry) {
    settle(balancer::Outcome::kFailure);
    note_attempt(failure, detail);
    answer(Cause::kTimeout, detail);
    return;
  }
  try_failed(failure, detail);
}

}  // namespace ringside::proxy
