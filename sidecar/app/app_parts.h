// The parts of App and the control loop's turns. Private to App: only app.cc (start, turns),
// app_reload.cc and app_stop.cc include it.
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
  Parts(ConfigSource the_source, config::Settings the_settings);

  Status start();
  void start_service();
  void load_view();
  Status start_ports();
  void tick();
  void refresh_table();
  // Up to which zxid every worker routes, for sure; 0 until the ring has spoken.
  [[nodiscard]] coord::Zxid routed() const;
  void drain_transitions();
  void drain_access();
  void publish();
  void reload(const char* why);
  void advance_shutdown(Instant now);
  void leave(Instant now);
  void stop_proxy();
  void finish();
  // Links closed, the write under way at its end. Also after a start that failed or a stop at once;
  // nothing is served any more.
  void close_ring();

  void ring_changed(std::span<const coord::Change> changes) override;
  void ring_reloaded() override;
  void ring_moved() override;
  void ring_log(coord::LogSeverity severity, const std::string& message) override;

  Status ask(admin::ZnodeCall call, std::function<void(admin::ZnodeAnswer)> answered) override;
  Status recover(bool go, std::function<void(admin::RecoveryAnswer)> answered) override;
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
  std::unique_ptr<health::Checker> checker;
  std::unique_ptr<admin::AdminServer> admin;
  std::unique_ptr<Signals> signals;
  Shutdown shutdown;
  net::Timer ticker;
  Instant started{};
  Instant file_looked{};
  std::string config_problem;
  bool listening = false;
  bool finishing = false;
  bool proxy_stopped = false;
  std::vector<proxy::AccessRecord> access_records;
};

}  // namespace ringside::app
