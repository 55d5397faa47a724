#include "sidecar/app/app.h"

#include <fmt/format.h>

#include <cstdio>
#include <random>

#include "config/reload.h"
#include "config/validate.h"
#include "sidecar/admin/admin_server.h"
#include "sidecar/app/ring_member.h"
#include "sidecar/app/shutdown.h"
#include "sidecar/app/signals.h"
#include "sidecar/app/snapshot_maker.h"
#include "sidecar/app/table_feed.h"
#include "sidecar/app/version.h"
#include "sidecar/app/view_store.h"
#include "sidecar/discovery/entry.h"
#include "sidecar/discovery/registrar.h"
#include "sidecar/health/checker.h"
#include "sidecar/logging/log.h"
#include "sidecar/proxy/proxy_server.h"

namespace ringside::app {

namespace {

constexpr milliseconds kTick{50};
constexpr milliseconds kFileLook{1000};

std::uint64_t random64() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

logging::Level level_of(coord::LogSeverity severity) {
  switch (severity) {
    case coord::LogSeverity::kDebug: return logging::Level::kDebug;
    case coord::LogSeverity::kInfo: return logging::Level::kInfo;
    case coord::LogSeverity::kWarn: return logging::Level::kWarn;
    case coord::LogSeverity::kError: return logging::Level::kError;
  }
  return logging::Level::kInfo;
}

// How this sidecar's own instance is to be registered.
balancer::Endpoint own_endpoint(const config::Settings& settings, const RingIdentity& identity) {
  const config::Service& service = *settings.service;
  balancer::Endpoint endpoint;
  endpoint.service = service.name;
  endpoint.host = service.advertise.empty() ? identity.advertise.host : service.advertise;
  endpoint.port = service.address.port;
  endpoint.inbound_port = settings.proxy.inbound ? settings.proxy.inbound->port : std::uint16_t{0};
  endpoint.weight = service.weight;
  endpoint.zone = service.zone;
  endpoint.metadata = service.metadata;
  endpoint.instance =
      discovery::make_instance(endpoint.host, endpoint.port, static_cast<std::uint32_t>(random64()));
  return endpoint;
}

}  // namespace

struct App::Parts : RingListener {
  Parts(ConfigSource the_source, config::Settings the_settings)
      : source(std::move(the_source)),
        settings(std::make_shared<const config::Settings>(std::move(the_settings))),
        log(settings->log),
        ring(loop, settings->ring, *this),
        feed(Rng(random64()), [this](auto table) { proxy->publish(std::move(table)); },
             [this](const std::string& line) { log.warn(line); }),
        shutdown(settings->drain),
        ticker(loop, [this] { tick(); }) {}

  Status start();
  void start_service();
  void load_view();
  Status start_ports();
  void tick();
  void refresh_table();
  void drain_transitions();
  void drain_access();
  void publish();
  void reload(const char* why);
  void advance_shutdown(Instant now);
  void finish();

  void ring_changed(std::span<const coord::Change> changes) override;
  void ring_reloaded() override;
  void ring_log(coord::LogSeverity severity, const std::string& message) override { log.write(level_of(severity), message); }

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
  std::unique_ptr<ViewStore> view_store;
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
};
