// Keeps this sidecar's own entry in the registry as it should be: a session, one ephemeral znode
// under it, its data.
//
// Owned by sidecar/app, on the control loop's thread; time comes as an argument, so that it is
// tested without a ring. It works by comparing what should be with what is, one request under way
// at a time, again after each reply, change and tick:
//
// clang-format off
//            open_session        first good check           health, weight, zone, drain
//   kNoSession ──────▶ kUnregistered ──────▶ kRegistered ◀────────────────┐
//       ▲                   │  ▲                 │    └── SetData ─────────┘
//       └── session expired ┴──┴── entry gone ───┤
//                                                ├── a newer entry with our host and port ──▶ kTaken
//                                                └── leave() ──▶ kLeft (entry and session gone)
// clang-format on
//
// kTaken holds until a restart; what is left of our own entry goes with the session.
// Invariants: at most one request under way; a taken entry is never taken back (product.md,
// Registration); registering and removing older entries of the same host and port is one
// transaction.
#pragma once

#include <functional>
#include <string>

#include "balancer/endpoint.h"
#include "config/base/time.h"
#include "sidecar/discovery/registry_client.h"

namespace ringside::discovery {

enum class RegistrarState { kIdle, kNoSession, kUnregistered, kRegistered, kTaken, kLeft };
const char* to_string(
    RegistrarState state);  // idle, no_session, unregistered, registered, taken, left

class Registrar {
 public:
  using Log = std::function<void(const std::string&)>;

  // `endpoint`: as it is to be registered, with its instance name. Without a service the sidecar
  // needs no Registrar.
  Registrar(RegistryClient& client, balancer::Endpoint endpoint, milliseconds session_timeout,
            Log log);

  // The health check's word. Nothing is registered before the first kUp.
  void set_health(Instant now, balancer::EndpointState health);
  // A reload changed weight, zone or metadata.
  void set_details(Instant now, int weight, std::string zone,
                   std::map<std::string, std::string> metadata);
  void start_draining(Instant now);
  // Removes the entry and closes the session; state() becomes kLeft when the ring has said so. Call
  // tick() until then.
  void leave(Instant now);
  // Something under our service changed, or the tree was replaced.
  void registry_changed(Instant now);
  // Touches the session and retries what failed; call at least every 100 ms.
  void tick(Instant now);

  [[nodiscard]] RegistrarState state() const { return state_; }
  [[nodiscard]] const balancer::Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] coord::SessionId session() const { return session_; }
  // Of kTaken: the instance that has it. Else why the last request failed, empty after a success.
  [[nodiscard]] const std::string& detail() const { return detail_; }
  // The state that the ring has for our entry is the one we want (a drain may go on).
  [[nodiscard]] bool settled() const;

 private:
  void reconcile(Instant now);
  void open_session(Instant now);
  void register_entry(Instant now);
  void update_entry(Instant now);
  void remove_entry(Instant now);
  // `then`: the state to be in afterwards; the entry, if there still is one, goes with the session.
  void close_session(Instant now, RegistrarState then);
  // True and kTaken when an entry with our host and port made after ours (or in place of ours)
  // stands.
  bool check_taken();
  void submit(Instant now, coord::Request request,
              std::function<void(Instant, const coord::Reply&)> on_ok);
  void failed(const coord::Reply& reply);
  void enter(RegistrarState state, const std::string& detail = {});
  [[nodiscard]] std::string path() const;

  RegistryClient& client_;
  balancer::Endpoint endpoint_;  // its state is the one wanted
  milliseconds session_timeout_;
  Log log_;
  RegistrarState state_ = RegistrarState::kNoSession;
  coord::SessionId session_;
  Bytes written_;  // the entry's data as the ring has it
  std::string detail_;
  bool healthy_once_ = false;
  bool draining_ = false;
  bool leaving_ = false;
  bool registered_once_ = false;
  bool look_for_others_ = false;  // something under our service changed since check_taken() looked
  bool pending_ = false;
  balancer::EndpointState health_ = balancer::EndpointState::kUnhealthy;
  Duration retry_delay_{};
  Instant retry_at_{};
  Instant touch_at_{};
  Instant now_{};
};

}  // namespace ringside::discovery
