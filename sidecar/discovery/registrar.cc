#include "sidecar/discovery/registrar.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sidecar/discovery/entry.h"

namespace ringside::discovery {

namespace {

constexpr Duration kFirstRetry = milliseconds{50};
constexpr Duration kLastRetry = seconds{1};

}  // namespace

const char* to_string(RegistrarState state) {
  switch (state) {
    case RegistrarState::kIdle: return "idle";
    case RegistrarState::kNoSession: return "no_session";
    case RegistrarState::kUnregistered: return "unregistered";
    case RegistrarState::kRegistered: return "registered";
    case RegistrarState::kTaken: return "taken";
    case RegistrarState::kLeft: return "left";
  }
  return "unknown";
}

Registrar::Registrar(RegistryClient& client, balancer::Endpoint endpoint,
                     milliseconds session_timeout, Log log)
    : client_(client),
      endpoint_(std::move(endpoint)),
      session_timeout_(session_timeout),
      log_(std::move(log)) {}

std::string Registrar::path() const {
  return entry_path(endpoint_.service, endpoint_.instance);
}

void Registrar::enter(RegistrarState state, const std::string& detail) {
  detail_ = detail;
  if (state_ == state) {
    return;
  }
  state_ = state;
  log_(detail.empty() ? fmt::format("registration is {}", to_string(state))
                      : fmt::format("registration is {}: {}", to_string(state), detail));
}

void Registrar::set_health(Instant now, balancer::EndpointState health) {
  health_ = health;
  healthy_once_ = healthy_once_ || health == balancer::EndpointState::kUp;
  if (!draining_) {
    endpoint_.state = health;
  }
  reconcile(now);
}

void Registrar::set_details(Instant now, int weight, std::string zone,
                            std::map<std::string, std::string> metadata) {
  endpoint_.weight = weight;
  endpoint_.zone = std::move(zone);
  endpoint_.metadata = std::move(metadata);
  reconcile(now);
}

void Registrar::start_draining(Instant now) {
  draining_ = true;
  endpoint_.state = balancer::EndpointState::kDraining;
  reconcile(now);
}

void Registrar::leave(Instant now) {
  leaving_ = true;
  reconcile(now);
}

bool Registrar::settled() const {
  if (leaving_) {
    return state_ == RegistrarState::kLeft;
  }
  return !pending_ &&
         (state_ != RegistrarState::kRegistered || written_ == encode_entry(endpoint_));
}

void Registrar::registry_changed(Instant now) {
  look_for_others_ = true;
  reconcile(now);
}

void Registrar::tick(Instant now) {
  if (session_ && state_ != RegistrarState::kLeft && now >= touch_at_) {
    client_.touch(session_);
    touch_at_ = now + session_timeout_ / 6;
  }
  reconcile(now);
}

void Registrar::reconcile(Instant now) {
  now_ = now;
  if (pending_ || now < retry_at_ || state_ == RegistrarState::kLeft) {
    return;
  }
  if (leaving_) {
    if (state_ == RegistrarState::kRegistered) {
      return remove_entry(now);
    }
    return session_ ? close_session(now, RegistrarState::kLeft) : enter(RegistrarState::kLeft);
  }
  if (state_ == RegistrarState::kTaken) {
    return session_ ? close_session(now, RegistrarState::kTaken) : void();
  }
  if (!session_) {
    return open_session(now);
  }
  if (!healthy_once_ || (draining_ && state_ != RegistrarState::kRegistered)) {
    return;
  }
  if (check_taken()) {
    return reconcile(now);
  }
  if (state_ != RegistrarState::kRegistered || !client_.registry().get(path())) {
    return register_entry(now);
  }
  if (written_ != encode_entry(endpoint_)) {
    update_entry(now);
  }
}

bool Registrar::check_taken() {
  if (!registered_once_ || !std::exchange(look_for_others_, false)) {
    return false;
  }
  const auto& registry = client_.registry();
  const auto ours = registry.get(path());
  const auto names = registry.children(service_path(endpoint_.service));
  for (const auto& name : names.value_or(std::vector<std::string>{})) {
    const auto entry_at = entry_path(endpoint_.service, name);
    const auto node = name == endpoint_.instance ? std::nullopt : registry.get(entry_at);
    if (!node || (ours && node->stat.czxid < ours->stat.czxid)) {
      continue;
    }
    const auto other = decode_entry(as_bytes(node->data), endpoint_.service, name);
    if (other && other->host == endpoint_.host && other->port == endpoint_.port) {
      enter(RegistrarState::kTaken, fmt::format("{} has registered our address {}:{}", name,
                                                endpoint_.host, endpoint_.port));
      return true;
    }
  }
  return false;
}

void Registrar::submit(Instant now, coord::Request request,
                       std::function<void(Instant, const coord::Reply&)> on_ok) {
  (void)now;
  pending_ = true;
  client_.submit(std::move(request), [this, ok = std::move(on_ok)](const coord::Reply& reply) {
    pending_ = false;
    if (reply.error == coord::ZkError::kOk) {
      if (state_ != RegistrarState::kTaken) {
        detail_.clear();
      }
      retry_delay_ = {};
      retry_at_ = {};
      ok(now_, reply);
      reconcile(now_);
    } else {
      failed(reply);
    }
  });
}

void Registrar::failed(const coord::Reply& reply) {
  retry_delay_ = std::clamp(retry_delay_ * 2, kFirstRetry, kLastRetry);
  retry_at_ = now_ + retry_delay_;
  if (reply.error == coord::ZkError::kSessionExpired) {
    session_ = {};
    retry_at_ = now_;
    if (leaving_) {
      enter(RegistrarState::kLeft, "session expired");
    } else if (state_ != RegistrarState::kTaken) {
      enter(RegistrarState::kNoSession, "session expired");
    }
  } else if (state_ != RegistrarState::kTaken) {
    detail_ = to_string(reply.error);
  }
}

void Registrar::open_session(Instant now) {
  submit(now, {{}, coord::CreateSession{session_timeout_}},
         [this](Instant at, const coord::Reply& reply) {
           session_ = reply.session;
           session_timeout_ = reply.session_timeout;
           touch_at_ = at;
           enter(RegistrarState::kUnregistered);
         });
}

void Registrar::register_entry(Instant now) {
  coord::Multi multi;
  const auto names = client_.registry().children(service_path(endpoint_.service));
  for (const auto& name : names.value_or(std::vector<std::string>{})) {
    if (multi.ops.size() + 1 >= coord::kMaxMultiOps) {
      break;
    }
    const auto at = entry_path(endpoint_.service, name);
    const auto node = client_.registry().get(at);
    const auto other = node ? decode_entry(as_bytes(node->data), endpoint_.service, name)
                            : Result<balancer::Endpoint>(fail(ErrorCode::kNotFound, at));
    if (other && other->host == endpoint_.host && other->port == endpoint_.port) {
      multi.ops.emplace_back(coord::Delete{at, coord::kAnyVersion, true});
    }
  }
  Bytes data = encode_entry(endpoint_);
  multi.ops.emplace_back(coord::Create{path(), data, coord::CreateMode::kEphemeral, true});
  submit(now, {session_, std::move(multi)},
         [this, data = std::move(data)](Instant, const coord::Reply&) {
           written_ = data;
           registered_once_ = true;
           look_for_others_ = true;  // one may have come between our look and our transaction
           enter(RegistrarState::kRegistered);
         });
}

void Registrar::update_entry(Instant now) {
  Bytes data = encode_entry(endpoint_);
  coord::Multi multi;
  multi.ops.emplace_back(coord::SetData{path(), data, coord::kAnyVersion});
  submit(now, {session_, std::move(multi)},
         [this, data = std::move(data)](Instant, const coord::Reply&) { written_ = data; });
}

void Registrar::remove_entry(Instant now) {
  coord::Multi multi;
  multi.ops.emplace_back(coord::Delete{path(), coord::kAnyVersion, true});
  submit(now, {session_, std::move(multi)},
         [this](Instant, const coord::Reply&) { enter(RegistrarState::kUnregistered, "leaving"); });
}

void Registrar::close_session(Instant now, RegistrarState then) {
  submit(now, {session_, coord::CloseSession{}}, [this, then](Instant, const coord::Reply&) {
    session_ = {};
    if (then != state_) {
      enter(then);
    }
  });
}

}  // namespace ringside::discovery
