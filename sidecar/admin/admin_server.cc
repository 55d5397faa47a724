#include "sidecar/admin/admin_server.h"

#include <fmt/format.h>
#include <cerrno>
#include <cstring>
#include <thread>

#include "sidecar/admin/bounded_server.h"
#include "sidecar/admin/drain_routes.h"
#include "sidecar/admin/json_views.h"
#include "sidecar/admin/metrics_view.h"
#include "sidecar/admin/znode_routes.h"
#include "sidecar/metrics/scrape.h"

namespace ringside::admin {

namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kIndex =
    "Ringside admin\n\n"
    "/v1/status  /v1/services  /v1/services/SERVICE  /v1/ring  /v1/drain  /v1/znode/PATH\n"
    "/metrics  /healthz  /readyz\n";

void answer(httplib::Response& response, int status, const std::string& json) {
  response.status = status;
  response.set_content(json, kJson);
}

// What httplib or the bounded server refused by its status alone.
void refuse(const httplib::Request& request, httplib::Response& response) {
  constexpr int kPayloadTooLarge = 413;
  constexpr int kUnsupportedMediaType = 415;
  if (response.status == kPayloadTooLarge) {
    return answer(response,
                  Trouble{TroubleWord::kTooLarge,
                          fmt::format("a body holds {} bytes at most, below {} {}",
                                      BoundedServer::kMaxBodyBytes, BoundedServer::kLargeBodies,
                                      BoundedServer::kMaxLargeBodyBytes)});
  }
  const bool nothing = response.status == 404;
  answer(response, response.status,
         error_json(fmt::format("{} {}: {}", request.method, request.path,
                                nothing ? "there is nothing here" : "refused"),
                    response.status == kUnsupportedMediaType
                        ? "send the body as it is, without Content-Encoding"
                        : "GET / lists what is there"));
}

}  // namespace

struct AdminServer::State {
  config::Address listen;
  AdminSources sources;
  BoundedServer server;
  WaitingRoom room{BoundedServer::kWaitingForLoop};
  std::thread thread;
  int port = 0;

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const {
    return sources.published->get();
  }
  void add_health_routes();
  void add_v1_routes();
  void add_refusals();
};

AdminServer::AdminServer(config::Address listen, AdminSources sources)
    : state_(std::make_unique<State>()) {
  state_->listen = std::move(listen);
  state_->sources = std::move(sources);
  state_->add_health_routes();
  state_->add_v1_routes();
  add_znode_routes(state_->server, *state_->sources.control, state_->room);
  add_recovery_route(state_->server, *state_->sources.control, state_->room);
  add_drain_route(state_->server, *state_->sources.published, *state_->sources.control,
                  state_->room);
  state_->add_refusals();
}

AdminServer::~AdminServer() {
  stop();
}

Status AdminServer::start() {
  State& state = *state_;
  const std::string host = state.listen.host;
  errno = 0;
  if (state.listen.port == 0) {
    state.port = state.server.bind_to_any_port(host.c_str());
  } else if (state.server.bind_to_port(host.c_str(), state.listen.port)) {
    state.port = state.listen.port;
  } else {
    state.port = -1;
  }
  if (state.port <= 0) {
    return fail(ErrorCode::kIo,
                fmt::format("cannot listen on {} for the admin API (admin.listen): {}",
                            state.listen.to_string(),
                            errno == 0 ? "no such address" : std::strerror(errno)));
  }
  state.thread = std::thread([&state] { state.server.serve(); });
  return {};
}

void AdminServer::stop() {
  state_->room.close();
  if (state_->thread.joinable()) {
    state_->server.stop_serving();
    state_->thread.join();
  }
}

std::uint16_t AdminServer::port() const {
  return static_cast<std::uint16_t>(state_->port);
}

void AdminServer::State::add_health_routes() {
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kIndex, "text/plain");
  });
  server.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
    const bool turning = sources.now() - snapshot()->made < kLoopSilent;
    response.status = turning ? 200 : 503;
    response.set_content(turning ? "ok\n" : "the control loop does not turn\n", "text/plain");
  });
  server.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const auto now = snapshot();
    answer(response, now->ready ? 200 : 503, ready_json(*now));
  });
  server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics_text(*snapshot(), sources.loops, *sources.commit_duration),
                         metrics::kContentType);
  });
}

void AdminServer::State::add_v1_routes() {
  server.Get("/v1/status", [this](const httplib::Request&, httplib::Response& response) {
    answer(response, 200, status_json(*snapshot(), sources.now()));
  });
  server.Get("/v1/services", [this](const httplib::Request&, httplib::Response& response) {
    answer(response, 200, services_json(*snapshot()));
  });
  server.Get(R"(/v1/services/([^/]+))",
             [this](const httplib::Request& request, httplib::Response& response) {
               const std::string service = request.matches[1];
               const auto json = service_json(*snapshot(), service);
               if (json) {
                 answer(response, 200, *json);
               } else {
                 answer(response, 404,
                        error_json(fmt::format("no service {}", service),
                                   "GET /v1/services lists those that are there"));
               }
             });
  server.Get("/v1/ring", [this](const httplib::Request&, httplib::Response& response) {
    answer(response, 200, ring_json(*snapshot()));
  });
}

void AdminServer::State::add_refusals() {
  const auto later = [](const httplib::Request& request, httplib::Response& response) {
    answer(
        response, 501,
        error_json(fmt::format("{} {} is not in this version", request.method, request.path), ""));
  };
  const char* const paths = R"((/v1/(config|explain)|/debug)(/.*)?)";
  server.Get(paths, later);
  server.Post(paths, later);
  server.Put(paths, later);
  server.Delete(paths, later);
  server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty()) {
      refuse(request, response);
    }
  });
}

}  // namespace ringside::admin
