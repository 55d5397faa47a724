#include "sidecar/app/app.h"

#include <fmt/format.h>

#include <cstdio>
#include <random>

#include "sidecar/app/app_parts.h"
#include "sidecar/app/descriptor_limit.h"
#include "sidecar/app/version.h"
#include "sidecar/discovery/entry.h"

namespace ringside::app {

namespace {

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
  endpoint.instance = discovery::make_instance(endpoint.host, endpoint.port,
                                               static_cast<std::uint32_t>(random64()));
  return endpoint;
}

}  // namespace

App::Parts::Parts(ConfigSource the_source, config::Settings the_settings,
                  std::unique_ptr<ChildProcess> the_child)
    : source(std::move(the_source)),
      settings(std::make_shared<const config::Settings>(std::move(the_settings))),
      log(settings->log),
      ring(loop, settings->ring, *this),
      feed(
          Rng(random64()), [this](auto table) { proxy->publish(std::move(table)); },
          [this](const std::string& line) { log.warn(line); }),
      child(std::move(the_child)),
      ticker(loop, [this] { tick(); }) {}

void App::Parts::ring_log(coord::LogSeverity severity, const std::string& message) {
  log.write(level_of(severity), message);
}

Status App::Parts::start() {
  started = loop.now();
  loop.observe_turns([this](Duration turn) { loop_metrics.loop_turn.record(turn); });
  start_signals();
  if (settings->service) {
    own = own_endpoint(*settings, identify(*settings, coord::MemberId{}));
  }
  if (Status ports = start_ports(); !ports) {
    return ports;
  }
  if (Status joined = ring.start(settings->service ? &*settings->service : nullptr); !joined) {
    return joined;
  }
  view_store = std::make_unique<ViewStore>(
      loop, ring.data_dir(),
      [this] {
        return [services = feed.view().services(), name = settings->ring.name, birth = ring.birth(),
                applied = ring.applied()] {
          return discovery::encode_view(services, name, birth, applied);
        };
      },
      [this](const std::string& line) { log.warn(line); });
  load_view();
  refresh_table();
  keeper = std::make_unique<discovery::SessionKeeper>(
      ring, settings->ring.session_timeout, [this](const std::string& line) { log.warn(line); });
  keeper->on_change([this](Instant now) {
    if (registrar) {
      registrar->session_changed(now);
    }
    znodes->moved(now);
  });
  znodes = std::make_unique<ZnodeService>(ring, *keeper);
  if (settings->service) {
    start_service();
  }
  start_drain();
  listening = true;
  publish();
  ticking = true;
  arm_tick();
  return {};
}

Status App::Parts::start_ports() {
  proxy::ProxyOptions options;
  options.settings = settings;
  options.instance = own ? own->instance : "";
  options.seed = random64();
  options.on_routed = [this] {
    // A word that finds the queue full is made up for by the next tick.
    static_cast<void>(loop.post([this] { ring_moved(); }));
  };
  options.on_trouble = [this](const Error& why) { log.warn("proxy: " + why.message); };
  options.on_ports = [this](const std::string& closed) {
    static_cast<void>(loop.post([this, closed] { ports_changed(closed); }));
  };
  auto opened = proxy::ProxyServer::start(std::move(options));
  if (!opened) {
    return std::unexpected(opened.error());
  }
  proxy = std::move(*opened);
  if (own && proxy->inbound_port()) {
    own->inbound_port = *proxy->inbound_port();
  }
  std::vector<const metrics::WorkerMetrics*> loops = proxy->metrics();
  loops.push_back(&loop_metrics);
  admin = std::make_unique<admin::AdminServer>(
      settings->admin, admin::AdminSources{&published, std::move(loops), &commit_duration,
                                           [this] { return loop.now(); }, this});
  return admin->start();
}

void App::Parts::load_view() {
  const auto bytes = view_store->read();
  if (!bytes) {
    if (bytes.error().code != ErrorCode::kNotFound) {
      log.warn("cannot read the view on disk: " + bytes.error().message);
    }
    return;
  }
  const Status loaded = feed.load(*bytes, settings->ring.name, ring.status().birth);
  if (loaded) {
    log.info("serving by the view on disk until the ring has spoken",
             {{"services", static_cast<std::int64_t>(feed.view().services().size())}});
  } else {
    log.warn(loaded.error().message);
  }
}

void App::Parts::start_signals() {
  Signals::Handlers handlers;
  handlers.on_stop = [this](int signal) { stop_asked(signal); };
  handlers.on_reload = [this] { reload("SIGHUP"); };
  if (child) {
    handlers.on_other = [this](int signal) { child->send(signal); };
    handlers.on_child = [this] { child_signalled(); };
  }
  signals = std::make_unique<Signals>(loop, std::move(handlers));
}

void App::Parts::start_service() {
  registrar = std::make_unique<discovery::Registrar>(
      ring, *keeper, *own, [this](const std::string& line) { log.info(line); });
  if (!child) {
    start_checking();
  }
}

// With an app of ours not before it runs.
void App::Parts::start_checking() {
  checker = std::make_unique<health::Checker>(
      loop, *settings->service, [this](balancer::HealthPhase phase, const std::string& reason) {
        log.info("health of the local app changed",
                 {{"health", std::string_view(balancer::to_string(phase))},
                  {"reason", std::string_view(reason)}});
        registrar->set_health(loop.now(), phase == balancer::HealthPhase::kUp
                                              ? balancer::EndpointState::kUp
                                              : balancer::EndpointState::kUnhealthy);
        tick_soon();
      });
  if (checker->phase() ==
      balancer::HealthPhase::kUp) {  // kind none: no check, up from the first moment
    registrar->set_health(loop.now(), balancer::EndpointState::kUp);
  }
}

coord::Zxid App::Parts::routed() const {
  return feed.routed(proxy->routed(), ring.applied());
}

Status App::Parts::ask(admin::ZnodeCall call, std::function<void(admin::ZnodeAnswer)> answered) {
  return loop.post([this, call = std::move(call), answered = std::move(answered)]() mutable {
    if (znodes) {
      znodes->ask(loop.now(), std::move(call), std::move(answered));
      tick_soon();
    } else {
      answered(admin::Trouble{admin::TroubleWord::kBusy, "this sidecar has not started yet"});
    }
  });
}

App::App(ConfigSource source, config::Settings settings, std::unique_ptr<ChildProcess> child)
    : parts_(std::make_unique<Parts>(std::move(source), std::move(settings), std::move(child))) {}

App::~App() = default;

int App::run() {
  const DescriptorLimit descriptors = raise_descriptor_limit();
  const Status started = parts_->start();
  if (!started) {
    parts_->log.error(started.error().message);
    std::fprintf(stderr, "ringside: %s\n", started.error().message.c_str());
    parts_->close_ring();
    return 1;
  }
  parts_->log.info("running", {{"version", std::string_view(kVersion)},
                               {"descriptors", static_cast<std::int64_t>(descriptors.soft)}});
  if (const std::string few = few_descriptors(descriptors); !few.empty()) {
    parts_->log.warn(few);
  }
  parts_->loop.run();
  parts_->end_proxy();
  parts_->close_ring();
  return parts_->exit_status;
}

}  // namespace ringside::app
