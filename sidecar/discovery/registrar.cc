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

Registrar::Registrar(RegistryClient& client, SessionKeeper& keeper, const ServiceView& view,
                     balancer::Endpoint endpoint, Log log)
    : client_(client),
      keeper_(keeper),
      view_(view),
      endpoint_(std::move(endpoint)),
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

void Registrar::stop_draining(Instant now) {
  draining_ = false;
  draining_since_.reset();
  endpoint_.state = health_;
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
  if (pending_) {
    return false;
  }
  return state_ == RegistrarState::kRegistered ? written_ == encode_entry(endpoint_)
                                               : !(draining_ && entry_may_stand_);
}

void Registrar::registry_changed(Instant now) {
  look_for_others_ = true;
  reconcile(now);
}

// What the session took with it is gone.
void Registrar::follow_session() {
  if (session_ == keeper_.session()) {
    return;
  }
  const bool lost = static_cast<bool>(session_);
  session_ = keeper_.session();
  entry_may_stand_ = false;
  if (state_ == RegistrarState::kTaken || state_ == RegistrarState::kLeft) {
    return;
  }
  if (session_) {
    enter(RegistrarState::kUnregistered);
  } else {
    enter(RegistrarState::kNoSession, lost ? "session expired" : "");
  }
}

void Registrar::reconcile(Instant now) {
  now_ = now;
  follow_session();
  if (pending_ || now < retry_at_ || state_ == RegistrarState::kLeft) {
    return;
  }
  if (leaving_) {
    return entry_may_stand_ ? remove_entry(RegistrarState::kLeft) : enter(RegistrarState::kLeft);
  }
  if (state_ == RegistrarState::kTaken) {
    return entry_may_stand_ ? remove_entry(RegistrarState::kTaken) : withdraw();
  }
  if (draining_ && state_ != RegistrarState::kRegistered) {
    return withdraw();
  }
  if (!session_ || !healthy_once_ || view_.dirty()) {
    return;
  }
  if (check_taken()) {
    return reconcile(now);
  }
  if (state_ != RegistrarState::kRegistered || !client_.registry().get(path())) {
    return register_entry();
  }
  if (written_ != encode_entry(endpoint_)) {
    update_entry();
  }
}

// Not registered: what may stand of an entry that was asked for is not left behind by a drain.
void Registrar::withdraw() {
  if (entry_may_stand_) {
    return remove_entry(state_);
  }
  const bool to_be_noted = draining_ && !draining_since_ && client_.has_view();
  if (to_be_noted && !client_.registry().get(path())) {
    note_draining(client_.registry().applied());
  }
}

void Registrar::note_draining(coord::Zxid zxid) {
  if (draining_ && !draining_since_) {
    draining_since_ = zxid;
  }
}

std::vector<std::string> Registrar::at_our_address() const {
  std::vector<std::string> instances;
  if (const auto ours = view_.services().find(endpoint_.service); ours != view_.services().end()) {
    for (const auto& other : ours->second) {
      if (other->port == endpoint_.port && other->host == endpoint_.host) {
        instances.push_back(other->instance);
      }
    }
  }
  return instances;
}

bool Registrar::check_taken() {
  if (!registered_once_ || !std::exchange(look_for_others_, false)) {
    return false;
  }
  const auto ours = client_.registry().get(path());
  for (const auto& name : at_our_address()) {
    const auto node = name == endpoint_.instance
                          ? std::nullopt
                          : client_.registry().get(entry_path(endpoint_.service, name));
    if (node && !(ours && node->stat.czxid < ours->stat.czxid)) {
      enter(RegistrarState::kTaken, fmt::format("{} has registered our address {}:{}", name,
                                                endpoint_.host, endpoint_.port));
      return true;
    }
  }
  return false;
}

void Registrar::submit(coord::Multi multi, std::function<void(coord::Zxid)> on_ok) {
  pending_ = true;
  client_.submit({session_, std::move(multi)},
                 [this, asked_under = session_, ok = std::move(on_ok)](const coord::Reply& reply) {
                   pending_ = false;
                   if (reply.error != coord::ZkError::kOk) {
                     return failed(asked_under, reply);
                   }
                   if (state_ != RegistrarState::kTaken) {
                     detail_.clear();
                   }
                   retry_delay_ = {};
                   retry_at_ = {};
                   follow_session();
                   if (asked_under == session_) {  // else what it did went with that session
                     ok(reply.zxid);
                   }
                   reconcile(now_);
                 });
}

void Registrar::failed(coord::SessionId asked_under, const coord::Reply& reply) {
  if (reply.error == coord::ZkError::kSessionExpired) {
    keeper_.expired(now_, asked_under);
    return reconcile(now_);
  }
  if (reply.error == coord::ZkError::kSessionMoved) {
    keeper_.moved(now_, asked_under);
  }
  retry_delay_ = std::clamp(retry_delay_ * 2, kFirstRetry, kLastRetry);
  retry_at_ = now_ + retry_delay_;
  if (state_ != RegistrarState::kTaken) {
    detail_ = to_string(reply.error);
  }
}

void Registrar::register_entry() {
  coord::Multi multi;
  for (const auto& name : at_our_address()) {
    if (multi.ops.size() + 1 >= coord::kMaxMultiOps) {
      break;
    }
    multi.ops.emplace_back(
        coord::Delete{entry_path(endpoint_.service, name), coord::kAnyVersion, true});
  }
  Bytes data = encode_entry(endpoint_);
  multi.ops.emplace_back(coord::Create{path(), data, coord::CreateMode::kEphemeral, true});
  entry_may_stand_ = true;
  const bool says_draining = draining_;
  submit(std::move(multi), [this, says_draining, data = std::move(data)](coord::Zxid zxid) {
    written_ = data;
    registered_once_ = true;
    if (says_draining) {
      note_draining(zxid);
    }
    look_for_others_ = true;  // one may have come between our look and our transaction
    enter(RegistrarState::kRegistered);
  });
}

void Registrar::update_entry() {
  Bytes data = encode_entry(endpoint_);
  coord::Multi multi;
  multi.ops.emplace_back(coord::SetData{path(), data, coord::kAnyVersion});
  const bool says_draining = draining_;
  submit(std::move(multi), [this, says_draining, data = std::move(data)](coord::Zxid zxid) {
    written_ = data;
    if (says_draining) {
      note_draining(zxid);
    }
  });
}

void Registrar::remove_entry(RegistrarState then) {
  coord::Multi multi;
  multi.ops.emplace_back(coord::Delete{path(), coord::kAnyVersion, true});
  submit(std::move(multi), [this, then](coord::Zxid zxid) {
    entry_may_stand_ = false;
    note_draining(zxid);
    if (then != state_) {
      enter(then);
    }
  });
}

}  // namespace ringside::discovery
