// The parts of App and the control loop's turns. Private to App: only app.cc (start, turns) and
// app_*.cc include it.
//
// Control loop's thread only, but for what `log`, `published` and `loop.post` take from any.
// Ownership and order: members are destroyed from the last to the first, so that each may use what
// stands above it to its end: whoever calls back (signals, admin threads, checker, registrar) goes
// before what it calls, the proxy's threads before the ring, the loop and the log.
// Invariants: 1. the loop is not destroyed before close_ring() is through (pool work under way
// refers to the ring's disk); 2. nothing of the ring is read before ring.start() has succeeded.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sidecar/admin/admin_server.h"
#include "sidecar/app/app.h"
#include "sidecar/app/drain.h"
#include "sidecar/app/pace.h"
#include "sidecar/app/ring_member.h"
#include "sidecar/app/shutdown.h"
#include "sidecar/app/signals.h"
#include "sidecar/app/table_feed.h"
#include "sidecar/app/view_store.h"
#include "sidecar/app/znode_service.h"
#include "sidecar/discovery/registrar.h"
#include "sidecar/discovery/session_keeper.h"
#include "sidecar/health/checker.h"
#include "sidecar/logging/log.h"
#include "sidecar/proxy/proxy_server.h"

namespace ringside::app {

struct App::Parts : RingListener, admin::Control {
  Parts(ConfigSource the_source, config::Settings the_settings,
        std::unique_ptr<ChildProcess> the_child);

  Status start();
  void start_signals();
  void start_service();
  void start_checking();
  void load_view();
  Status start_ports();
  // app_tick.cc
  void tick();
  // Something waits for the ring, the app or the end, so that it is looked at often.
  [[nodiscard]] bool in_motion() const;
  void tick_soon();
  void tick_now();
  void arm_tick();
  void stop_ticking();
  void refresh_table();
  // Up to which zxid every worker routes, for sure; 0 until the ring has spoken.
  [[nodiscard]] coord::Zxid routed() const;
  void drain_transitions();
  void drain_access();
  void publish();
  void reload(const char* why);
  void ports_changed(const std::string& closed);
  // app_stop.cc
  void stop_asked(int signal);
  void advance_shutdown(Instant now);
  [[nodiscard]] Shutdown::World world() const;
  void carry_out(Shutdown::Step before, Shutdown::Step step, Instant now);
  void empty_inbound();
  void stop_proxy();
  // What is still under way when all is over, cut and told of in the access log.
  void end_proxy();
  void finish();
  // app_drain.cc
  void start_drain();
  void set_drain(bool on);
  [[nodiscard]] bool alone() const;
  void drain_now(bool on, const std::function<void(admin::DrainAnswer)>& answered);
  [[nodiscard]] admin::DrainView drain_view() const;
  [[nodiscard]] std::string name_of(const coord::SidecarBehind& sidecar) const;
  [[nodiscard]] std::string address_of(coord::MemberId member) const;
  [[nodiscard]] std::string instance_of(coord::SessionId session) const;
  // app_exec.cc
  void tend_child(Instant now);
  void start_child(Instant now);
  void child_signalled();
  // Links closed, the write under way at its end. Also after a start that failed or a stop at once;
  // nothing is served any more.
  void close_ring();

  void ring_changed(std::span<const coord::Change> changes) override;
  void ring_reloaded() override;
  void ring_moved() override;
  void ring_log(coord::LogSeverity severity, const std::string& message) override;

  Status ask(admin::ZnodeCall call, std::function<void(admin::ZnodeAnswer)> answered) override;
  Status recover(bool go, std::function<void(admin::RecoveryAnswer)> answered) override;
  Status drain(bool on, std::function<void(admin::DrainAnswer)> answered) override;
  void recover_now(bool go, const std::function<void(admin::RecoveryAnswer)>& answered);

  ConfigSource source;
  std::shared_ptr<const config::Settings> settings;
  logging::Log log;
  net::Loop loop;
  metrics::WorkerMetrics loop_metrics{"control"};
  metrics::Histogram commit_duration;
  admin::Published published;
  RingMember ring;
  std::unique_ptr<proxy::ProxyServer> proxy;
  TableFeed feed;
  std::optional<balancer::Endpoint> own;  // as it is to be registered; none without a service
  std::unique_ptr<ViewStore> view_store;
  std::unique_ptr<discovery::SessionKeeper> keeper;
  std::unique_ptr<ZnodeService> znodes;
  std::unique_ptr<discovery::Registrar> registrar;
  std::unique_ptr<Drain> draining;
  std::unique_ptr<health::Checker> checker;
  std::unique_ptr<admin::AdminServer> admin;
  std::unique_ptr<ChildProcess> child;  // `exec`: the app; else null
  std::unique_ptr<Signals> signals;
  Shutdown shutdown;
  net::Timer ticker;
  Pace pace;
  Instant tick_armed = kNever;  // when `ticker` fires
  bool ticking = false;
  Instant started{};
  Instant file_looked{};
  std::string config_problem;
  std::string closed_ports;  // fixed ports of the settings that could not be opened, and why
  bool listening = false;
  bool finishing = false;
  bool inbound_emptied = false;
  bool proxy_stopped = false;
  bool child_started = false;  // or tried to be
  Instant child_waits_told{};
  Shutdown::Step stop_step = Shutdown::Step::kServing;  // carried out so far
  std::optional<coord::Epoch> handed_over_in;
  int stop_signal = 0;  // the first one; the app gets it when the drain is over
  int exit_status = 0;
  std::vector<proxy::AccessRecord> access_records;
};

}  // namespace ringside::app
