// Keeps this sidecar's own entry in the registry as it should be: one ephemeral znode under the
// sidecar's session, and its data.
//
// Owned by sidecar/app, on the control loop's thread; time comes as an argument, so that it is
// tested without a ring. The session is SessionKeeper's, which outlives this. It works by comparing
// what should be with what is, one request under way at a time, again after each reply, change and
// tick:
//
// clang-format off
//             a session        first good check           health, weight, zone, drain
//   kNoSession ──────▶ kUnregistered ──────▶ kRegistered ◀────────────────┐
//       ▲                   │  ▲                 │    └── SetData ─────────┘
//       └── session expired ┴──┴── entry gone ───┤
//                                                ├── a newer entry with our host and port ──▶ kTaken
//                                                └── leave() ──▶ kLeft (the entry is gone)
// clang-format on
//
// kTaken holds until a restart; what is left of our own entry is removed.
// While draining an entry that stands says so; one that does not stand (the session is lost) is not
// made again before the drain is undone.
// Who else has our host and port is what the ServiceView says, which has read the entries already;
// while it is dirty nothing is made, changed or looked for.
// Invariants: at most one request under way; a taken entry is never taken back (product.md,
// Registration); registering and removing older entries of the same host and port is one
// transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "balancer/endpoint.h"
#include "config/base/time.h"
#include "sidecar/discovery/registry_client.h"
#include "sidecar/discovery/service_view.h"
#include "sidecar/discovery/session_keeper.h"

namespace ringside::discovery {

enum class RegistrarState { kIdle, kNoSession, kUnregistered, kRegistered, kTaken, kLeft };
const char* to_string(
    RegistrarState state);  // idle, no_session, unregistered, registered, taken, left

class Registrar {
 public:
  using Log = std::function<void(const std::string&)>;

  // `endpoint`: as it is to be registered, with its instance name. Without a service the sidecar
  // needs no Registrar. `view`: of the client's registry.
  Registrar(RegistryClient& client, SessionKeeper& keeper, const ServiceView& view,
            balancer::Endpoint endpoint, Log log);

  // The health check's word. Nothing is registered before the first kUp.
  void set_health(Instant now, balancer::EndpointState health);
  // A reload changed weight, zone or metadata.
  void set_details(Instant now, int weight, std::string zone,
                   std::map<std::string, std::string> metadata);
  void start_draining(Instant now);
  // The entry says again what the health check says.
  void stop_draining(Instant now);
  // Removes the entry; state() becomes kLeft when the ring has said so. Call tick() until then.
  void leave(Instant now);
  // The view has read what changed.
  void registry_changed(Instant now);
  // The keeper's session is another one now, or gone.
  void session_changed(Instant now) { reconcile(now); }
  // Retries what failed; call every 50 ms, and while settled() and registered every 150 ms at
  // least.
  void tick(Instant now) { reconcile(now); }

  [[nodiscard]] RegistrarState state() const { return state_; }
  [[nodiscard]] const balancer::Endpoint& endpoint() const { return endpoint_; }
  // Of kTaken: the instance that has it. Else why the last request failed, empty after a success.
  [[nodiscard]] const std::string& detail() const { return detail_; }
  // The state that the ring has for our entry is the one we want (a drain may go on).
  [[nodiscard]] bool settled() const;
  // An entry of ours has stood, or may have: others may call us.
  [[nodiscard]] bool ever_shown() const { return registered_once_ || entry_may_stand_; }
  // While draining: as of this zxid no entry of ours asks for calls. Who has routed it sends none.
  [[nodiscard]] std::optional<coord::Zxid> draining_since() const { return draining_since_; }

 private:
  void reconcile(Instant now);
  void withdraw();
  void note_draining(coord::Zxid zxid);
  void follow_session();
  // The instances of our service with our host and port, by the view; ours may be among them.
  [[nodiscard]] std::vector<std::string> at_our_address() const;
  void register_entry();
  void update_entry();
  // Then in state `then`.
  void remove_entry(RegistrarState then);
  // True and kTaken when an entry with our host and port made after ours (or in place of ours)
  // stands.
  bool check_taken();
  void submit(coord::Multi multi, std::function<void(coord::Zxid)> on_ok);
  void failed(coord::SessionId asked_under, const coord::Reply& reply);
  void enter(RegistrarState state, const std::string& detail = {});
  [[nodiscard]] std::string path() const;

  RegistryClient& client_;
  SessionKeeper& keeper_;
  const ServiceView& view_;
  balancer::Endpoint endpoint_;  // its state is the one wanted
  Log log_;
  RegistrarState state_ = RegistrarState::kNoSession;
  coord::SessionId session_;  // the keeper's, as this was last compared with
  Bytes written_;             // the entry's data as the ring has it
  std::string detail_;
  bool healthy_once_ = false;
  bool draining_ = false;
  std::optional<coord::Zxid> draining_since_;
  bool leaving_ = false;
  bool registered_once_ = false;
  bool look_for_others_ = false;  // something changed since check_taken() looked
  bool entry_may_stand_ = false;  // an entry of ours was asked for and not seen to be gone
  bool pending_ = false;
  balancer::EndpointState health_ = balancer::EndpointState::kUnhealthy;
  Duration retry_delay_{};
  Instant retry_at_{};
  Instant now_{};
};

}  // namespace ringside::discovery
