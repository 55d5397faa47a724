// ProxyServer: the data path as the rest of the sidecar sees it.
//
// Made and called by sidecar/app on the control loop's thread; owns the workers, their threads and
// the listeners (which live on worker 0's loop: it accepts and hands connections out in turn, so
// each of n workers gets every n-th). What goes to the workers are immutable values by message.
// The destructor closes everything at once; stop() is the gentle way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/routing_table.h"
#include "config/base/error.h"
#include "config/settings.h"
#include "sidecar/metrics/worker_metrics.h"
#include "sidecar/proxy/access.h"
#include "sidecar/proxy/context.h"

namespace ringside::proxy {

struct ProxyOptions {
  std::shared_ptr<const config::Settings> settings;  // must not be null
  std::string instance;                              // our own in the registry
  std::uint64_t seed = 0;                            // for picks and request ids: from real entropy
  Bounds bounds;
  // Told about what goes wrong and stands in no answer; from any thread. May be empty.
  std::function<void(const Error&)> on_trouble;
  // Fixed ports of the settings that could not be opened, in words; empty: all are open now. They
  // are tried again each second. From a worker's thread. May be empty.
  std::function<void(const std::string&)> on_ports;
  // routed() may have grown; from a worker's thread. May be empty.
  std::function<void()> on_routed;
};

class ProxyServer {
 public:
  // Opens all ports (inbound only where settings.service is there) and starts the workers; callers
  // get no_endpoints until the first table. An Error names the port that could not be opened.
  static Result<std::unique_ptr<ProxyServer>> start(ProxyOptions options);
  ~ProxyServer();
  ProxyServer(const ProxyServer&) = delete;
  ProxyServer& operator=(const ProxyServer&) = delete;

  void publish(std::shared_ptr<const balancer::RoutingTable> table);
  // Fixed ports are opened and closed as the settings say; a port that can't be opened goes to
  // on_ports. Needs the service, ring and proxy blocks that it was started with (these keys need
  // a restart).
  void publish(std::shared_ptr<const config::Settings> settings);

  // Inbound announces it and closes after each response; all ports stay open. May be undone.
  void set_draining(bool draining);
  // Nobody sends here any more: idle inbound connections are closed (a sidecar that sends just then
  // is told so), what still comes is served. `on_emptied`, from a worker's thread, when nothing
  // inbound is under way; with `then_refuse` all that comes after is refused, unprocessed. Once
  // only.
  void empty_inbound(bool then_refuse, std::function<void()> on_emptied);
  // Inbound exchanges under way.
  [[nodiscard]] std::int64_t inbound_in_flight() const;
  // Closes the ports, lets running exchanges end (at most drain.timeout) and calls `on_stopped`
  // from a worker's thread. Once only.
  void stop(std::function<void()> on_stopped);
  // Ends the threads and closes what is left: then its records are in access(). Only destroying
  // remains. Else the destructor does it.
  void cut();

  // The newest version that every worker has switched to, with nothing unsent that was picked
  // before.
  [[nodiscard]] balancer::TableVersion routed() const;
  // Good as long as this object.
  [[nodiscard]] std::vector<const metrics::WorkerMetrics*> metrics() const;
  // Records wait here while log.access is on; somebody must take them.
  [[nodiscard]] AccessQueue& access() { return access_; }
  [[nodiscard]] std::uint64_t connections_refused() const;
  [[nodiscard]] std::vector<std::size_t> connections_open() const;  // per worker

  // Real ports, as far as they were open at start.
  [[nodiscard]] std::uint16_t outbound_port() const { return outbound_port_; }
  [[nodiscard]] std::optional<std::uint16_t> inbound_port() const { return inbound_port_; }
  [[nodiscard]] const std::map<std::string, std::uint16_t>& upstream_ports() const {
    return upstream_ports_;
  }

 private:
  class Acceptor;
  explicit ProxyServer(ProxyOptions options);
  Status open();
  [[nodiscard]] std::function<void()> after_all(std::function<void()> done) const;

  ProxyOptions options_;
  AccessQueue access_;
  // Published and still used, and the one before: a table that nobody uses any more ends here, on
  // the control loop, not in the turn of the worker that happened to let it go last.
  std::vector<std::shared_ptr<const balancer::RoutingTable>> tables_;
  std::vector<std::unique_ptr<class Worker>> workers_;
  std::unique_ptr<Acceptor> acceptor_;  // worker 0's thread
  std::uint16_t outbound_port_ = 0;
  std::optional<std::uint16_t> inbound_port_;
  std::map<std::string, std::uint16_t> upstream_ports_;
};

}  // namespace ringside::proxy
