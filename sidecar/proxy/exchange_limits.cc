// What the upstream's limits allow: a permit for the request, and one for its connection.
//
// Good path: both are free: the request counts among limits.requests, and its connection, idle or
// new, among limits.connections of its host.
// Failure paths: all limits.requests are under way (it waits, and has picked nobody yet); all
// connections to the host picked are in use (another host that has one free; else it waits at the
// first, its pick held); limits.pending wait already, or nothing came free within timeouts.connect
// (`overflow`); the host it waited for is no longer offered, or its breaker opened (another pick);
// the caller goes away while it waits (abandon).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "balancer/routing_table.h"
#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

namespace {

constexpr std::string_view kRequests = "requests";
constexpr std::string_view kConnections = "connections";

std::string both_full(std::string_view what, std::uint32_t limit, std::uint32_t pending) {
  return fmt::format("limits.{} ({}) is reached, and so is limits.pending ({})", what, limit,
                     pending);
}

// To open a connection; at the limit instead of an idle one that is not good for this request.
balancer::Permit take_permit(balancer::Host& host, HostPool& pool) {
  balancer::Permit permit = host.connections().try_take();
  while (!permit && pool.make_room()) {
    permit = host.connections().try_take();
  }
  return permit;
}

}  // namespace

// True: it counts among limits.requests now. Else it waits, or was answered.
bool Exchange::enter_upstream(const balancer::Upstream& upstream) {
  balancer::UpstreamState& state = *upstream.state();
  request_pin_ = context_.view.pin();
  request_permit_ = state.requests.try_take();
  if (request_permit_) {
    return true;
  }
  switch (wait_.begin(state.requests, upstream, request_pin_, *stats_, request_permit_)) {
    case PermitWait::Begun::kTaken: return true;
    case PermitWait::Begun::kWaiting: phase_ = Phase::kQueued; return false;
    case PermitWait::Begun::kPendingFull: break;
  }
  answer_overflow(both_full(kRequests, state.requests.limit(), state.pending.limit()), kRequests);
  return false;
}

// True: opening_ counts a connection to be opened to the host picked. Else one is in use already,
// or it waits, or was answered.
bool Exchange::room_to_connect() {
  const std::shared_ptr<balancer::Host>& host = guard_.get().host->host;
  balancer::PermitGate& gate = host->connections();
  if (!opening_) {
    opening_ = take_permit(*host, *pool_);
  }
  if (opening_) {
    return true;
  }
  if (auto connection = take_host_with_room()) {
    begin_try();
    use(std::move(connection));
    return false;
  }
  if (opening_) {
    return true;
  }
  const balancer::Upstream& upstream = *guard_.get().upstream;
  switch (wait_.begin(gate, upstream, pick_pin_, *stats_, opening_)) {
    case PermitWait::Begun::kTaken: return true;
    case PermitWait::Begun::kWaiting:
      phase_ = Phase::kQueued;
      context_.ask_for_idle(host);
      return false;
    case PermitWait::Begun::kPendingFull: break;
  }
  answer_overflow(both_full(kConnections, gate.limit(), upstream.state()->pending.limit()),
                  kConnections);
  return false;
}

// Turns to another host, if one has a connection free: returned if it is an idle one, else opening_
// is held. Neither: all are full, and the pick stays.
std::unique_ptr<UpstreamConnection> Exchange::take_host_with_room() {
  std::array<const balancer::Host*, kMaxPassed> passed;
  auto end = std::ranges::copy(tried(), passed.begin()).out;
  *end++ = guard_.get().host->host.get();
  while (end != passed.end()) {
    auto picked = pick_among({passed.begin(), end});
    if (!picked) {
      break;
    }
    const balancer::HostEntry& entry = *picked->guard.get().host;
    HostPool& pool = context_.pools.of(entry);
    auto connection = idle_connection(pool);
    balancer::Permit permit;
    if (connection == nullptr) {
      permit = take_permit(*entry.host, pool);
    }
    if (connection != nullptr || permit) {
      fresh_only_ = false;
      pool_ = PoolLease(pool);
      opening_ = std::move(permit);
      guard_ = std::move(picked->guard);
      pick_pin_ = std::move(picked->pin);
      return connection;
    }
    *end++ = entry.host.get();
  }
  return nullptr;
}

// A connection that another call has just left, and its pool passed on.
bool Exchange::may_use(UpstreamConnection& connection) const {
  return &connection.pool() == &*pool_ && !fresh_only_ && asks_ != Asks::kConnect &&
         pool_->longest_idle(connection, reuse(*pool_)) > Duration::zero() && connection.open() &&
         connection.stream().quiet();
}

// The wait is no part of the host's time.
void Exchange::discount_wait() {
  if (response_from_ != kNever) {
    response_from_ += context_.loop.coarse_now() - std::max(wait_.since(), response_from_);
  }
}

void Exchange::on_permit(balancer::Permit permit, std::unique_ptr<UpstreamConnection> connection) {
  discount_wait();
  if (!guard_.held()) {
    request_permit_ = std::move(permit);
    pick_and_start();
  } else if (!still_offered() || !balancer::still_admitted(guard_.get())) {
    if (connection != nullptr) {
      pool_->discard(std::move(connection));
    }
    permit.release();
    pick_and_start();
  } else if (connection != nullptr && may_use(*connection)) {
    connection->hold(std::move(permit));
    begin_try();
    use(std::move(connection));
  } else {
    if (connection != nullptr) {
      pool_->discard(std::move(connection));
    }
    opening_ = std::move(permit);
    connect();
  }
  downstream_->rearm();
}

// By a host that came to have room while this call waited for another; false: there is none.
bool Exchange::go_elsewhere() {
  auto connection = take_host_with_room();
  if (connection == nullptr && !opening_) {
    return false;
  }
  wait_.give_up();
  discount_wait();
  if (connection != nullptr) {
    begin_try();
    use(std::move(connection));
  } else {
    connect();
  }
  return true;
}

void Exchange::waited_too_long() {
  if (guard_.held() && go_elsewhere()) {
    return;
  }
  const bool for_request = !guard_.held();
  const std::string_view what = for_request ? kRequests : kConnections;
  std::uint32_t limit = 0;
  std::string where;
  if (for_request) {
    const balancer::Upstream* upstream = request_pin_.table()->find(service_.view());
    limit = upstream->state()->requests.limit();
  } else {
    limit = guard_.get().host->host->connections().limit();
    where = " to " + endpoint_text(guard_.get().host);
  }
  answer_overflow(fmt::format("waited {} ms (timeouts.connect) for one of limits.{} ({}){}",
                              timeouts_.connect.count(), what, limit, where),
                  what);
}

// For a tunnel, which may last for days: its permit needs the gate, not the whole table.
void Exchange::let_request_table_go() {
  if (request_permit_ && request_state_ == nullptr) {
    request_state_ = request_pin_.table()->find(service_.view())->state();
    request_pin_ = balancer::Pin();
  }
}

void Exchange::answer_overflow(std::string_view detail, std::string_view key) {
  answer(Cause::kOverflow, detail,
         fmt::format("raise upstreams.{}.limits.{} (or defaults.limits.{}), or run more instances",
                     service_.view(), key, key));
}

}  // namespace ringside::proxy
