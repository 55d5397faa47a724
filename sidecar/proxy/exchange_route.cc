// Where an exchange goes. Outbound: by name to an upstream, by pick to a host. Inbound: to the
// local app, after the check that the caller means us.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "balancer/routing_table.h"
#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

namespace {

constexpr std::string_view kHowToName =
    "name a service: http://SERVICE/… through HTTP_PROXY, the Host header, or /svc/SERVICE/…";

}  // namespace

void Exchange::begin_outbound() {
  const auto& settings = *context_.settings;
  timeouts_ = settings.defaults.timeouts;
  const http::Route route =
      http::route_name(request(), {settings.proxy.domains, settings.proxy.outbound.host});
  target_ = route.target;
  const std::string& fixed = downstream_->fixed_upstream();
  std::string_view host = route.host;
  if (!fixed.empty()) {
    service_ = http::ServiceName::from(fixed);
    host = fixed;
    if (request().form != http::TargetForm::kAbsolute) {
      target_ = {"", request().target};  // no /svc/ prefix on a port of its own
    }
  } else if (route.kind == http::Route::Kind::kService) {
    service_ = route.service;
  }
  const auto* table = context_.view.table();
  const balancer::Upstream* upstream =
      service_.empty() || table == nullptr ? nullptr : table->find(service_.view());
  if (upstream != nullptr) {
    stats_ = &downstream_->stats_of(upstream->name());
    timeouts_ = upstream->settings().timeouts;
  } else {
    stats_ = downstream_->unknown_stats();
  }
  count_begin();
  if (asks_ == Asks::kConnect) {
    const std::string_view authority = request().target;  // has a port, which names nothing
    host = host.empty() ? authority : host;
    target_ = {service_.view(), authority.substr(authority.rfind(':'))};
  }
  if (service_.empty() && route.kind == http::Route::Kind::kUnnamed && asks_ != Asks::kConnect) {
    answer(Cause::kBadRequest, "the request names no service", kHowToName);
  } else if (route.kind == http::Route::Kind::kBadScheme) {
    answer(Cause::kBadRequest, "only http:// can be passed on", kHowToName);
  } else if (upstream == nullptr) {
    answer_no_service(host);
  } else if (enter_upstream(*upstream)) {
    pick_and_start();
  }
}

void Exchange::pick_and_start() {
  if (const auto failure = pick_host()) {
    answer_pick_failure(*failure);
  } else {
    start_try();
  }
}

void Exchange::answer_no_service(std::string_view name) {
  const auto* table = context_.view.table();
  std::string detail = fmt::format("no service is called `{}`", name.substr(0, 253));
  std::string hint;
  if (table == nullptr) {
    detail = "the registry's view is not loaded yet";
  } else {
    for (const auto near :
         nearest_names(service_.empty() ? name : service_.view(), table->names(), 3)) {
      hint += hint.empty() ? "did you mean " : ", ";
      hint += near;
    }
    hint += hint.empty() ? "" : "?";
  }
  answer(Cause::kNoEndpoints, detail, hint);
}

// None of `passed`, and no stranger while there is anybody else.
std::expected<balancer::Pick, balancer::PickFailure> Exchange::pick_of(
    const balancer::Upstream& upstream, std::span<const balancer::Host* const> passed) {
  const Instant now = context_.loop.now();
  if (const auto strangers = context_.strangers.known(now); !strangers.empty()) {
    std::array<const balancer::Host*, kMaxPassed + Strangers::kMost> all{};
    const auto end = std::ranges::copy(strangers, std::ranges::copy(passed, all.begin()).out).out;
    const auto picked = balancer::pick(upstream, {now, context_.rng, {all.begin(), end}});
    if (picked) {
      return picked;
    }
  }
  return balancer::pick(upstream, {now, context_.rng, passed});
}

// A host by the newest table, none of `passed`.
std::expected<Exchange::Picked, balancer::PickFailure> Exchange::pick_among(
    std::span<const balancer::Host* const> passed) {
  balancer::Pin pin = context_.view.pin();
  const balancer::Upstream* upstream =
      pin.table() == nullptr ? nullptr : pin.table()->find(service_.view());
  if (upstream == nullptr) {
    return std::unexpected(balancer::PickFailure::kNoEndpoints);
  }
  const auto picked = pick_of(*upstream, passed);
  if (!picked) {
    return std::unexpected(picked.error());
  }
  return Picked{balancer::PickGuard(*picked, pin), pin};
}

// Takes a host that was not tried yet; the pick before, if any, is over.
std::optional<balancer::PickFailure> Exchange::pick_host() {
  auto picked = pick_among(tried());
  if (!picked) {
    return picked.error();
  }
  guard_ = std::move(picked->guard);
  pick_pin_ = std::move(picked->pin);
  return std::nullopt;
}

void Exchange::answer_pick_failure(balancer::PickFailure failure) {
  if (failure == balancer::PickFailure::kBreakerOpen) {
    answer(Cause::kBreakerOpen, "no endpoint's breaker lets a call pass");
  } else {
    answer(Cause::kNoEndpoints, "the service has no endpoint that may be used");
  }
}

void Exchange::begin_inbound() {
  const auto& settings = *context_.settings;
  count_begin();
  timeouts_ = settings.defaults.timeouts;
  // The caller's sidecar limits the wait; two limits would race.
  timeouts_.response = timeouts_.per_try = milliseconds{0};
  if (context_.refusing) {
    answer(Cause::kDraining, "this instance is about to end", "another instance serves");
    return;
  }
  if (!settings.service) {
    answer(Cause::kWrongInstance, "this sidecar has no service");
    return;
  }
  const http::Field* ring = request().find("x-ringside-ring");
  const http::Field* service = request().find("x-ringside-service");
  if (ring != nullptr && ring->value != settings.ring.name) {
    answer(Cause::kWrongInstance,
           fmt::format("this is ring `{}`, the call is for `{}`", settings.ring.name, ring->value));
    return;
  }
  if (service != nullptr && !http::equals_ignoring_case(service->value, settings.service->name)) {
    answer(Cause::kWrongInstance, fmt::format("this is service `{}`, the call is for `{}`",
                                              settings.service->name, service->value));
    return;
  }
  start_try();
}

}  // namespace ringside::proxy
