#include "sidecar/proxy/proxy_server.h"

#include <atomic>
#include <utility>

#include "sidecar/net/tcp_listener.h"
#include "sidecar/net/timer.h"
#include "sidecar/proxy/worker.h"

namespace ringside::proxy {

// The listeners and the hand-over. Lives on worker 0's thread once that runs.
class ProxyServer::Acceptor {
 public:
  Acceptor(std::vector<std::unique_ptr<Worker>>& workers,
           std::function<void(const Error&)> on_trouble,
           std::function<void(const std::string&)> on_ports)
      : workers_(workers),
        on_trouble_(std::move(on_trouble)),
        on_ports_(std::move(on_ports)),
        handshakes_over_(workers.front()->loop(), [this] { close(); }),
        again_(workers.front()->loop(), [this] { open_missing(); }) {}

  Result<std::uint16_t> open(const config::Address& address, Entrance entrance) {
    entrance.port = address.port;
    auto shared = std::make_shared<const Entrance>(std::move(entrance));
    auto listener =
        net::TcpListener::open(workers_.front()->loop(), address,
                               {[this, shared](net::Socket socket, const net::SocketAddress& peer) {
                                  hand_over(std::move(socket), peer.ip(), shared);
                                },
                                on_trouble_});
    if (!listener) {
      return std::unexpected(std::move(listener.error()));
    }
    const std::uint16_t port = (*listener)->port();
    listeners_[{shared->inbound, shared->upstream}] = {address, std::move(*listener)};
    return port;
  }

  // Opens and closes fixed ports so that they are those of `settings`.
  void follow(std::shared_ptr<const config::Settings> settings) {
    if (on_closed_) {
      return;
    }
    settings_ = std::move(settings);
    std::erase_if(listeners_, [&](const auto& one) {
      const auto& [inbound, name] = one.first;
      if (inbound || name.empty()) {
        return false;
      }
      const auto found = settings_->upstreams.find(name);
      const bool stays =
          found != settings_->upstreams.end() && found->second.listen == one.second.address;
      if (!stays) {  // at once: the same port may be wanted under another name
        one.second.listener->begin_close();
        one.second.listener->accept_pending();
      }
      return !stays;
    });
    open_missing();
  }

  // Whoever gets a connection is still handed out; then all ports are closed and `on_closed` runs.
  void begin_close(std::function<void()> on_closed) {
    on_closed_ = std::move(on_closed);
    again_.stop();
    for (auto& [key, listening] : listeners_) {
      listening.listener->begin_close();
    }
    handshakes_over_.start(net::TcpListener::kHandshakeTime);
  }

 private:
  struct Listening {
    config::Address address;
    std::unique_ptr<net::TcpListener> listener;
  };

  // A port may be taken for a moment only: by whoever is about to leave it, say.
  void open_missing() {
    std::string closed;
    for (const auto& [name, upstream] : settings_->upstreams) {
      if (upstream.listen && !listeners_.contains({false, name})) {
        const auto port = open(*upstream.listen, {.inbound = false, .upstream = name});
        if (!port) {
          closed += (closed.empty() ? "" : "; ") + port.error().message + " (upstreams." + name +
                    ".listen)";
        }
      }
    }
    if (!closed.empty()) {
      again_.start(kOpenAgain);
    }
    if (closed != std::exchange(closed_ports_, closed) && on_ports_) {
      on_ports_(closed);
    }
  }

  void close() {
    for (auto& [key, listening] : listeners_) {
      listening.listener->accept_pending();
    }
    listeners_.clear();
    on_closed_();
  }

  void hand_over(net::Socket socket, std::string peer_ip,
                 const std::shared_ptr<const Entrance>& entrance) {
    Worker& worker = *workers_[next_++ % workers_.size()];
    if (&worker == workers_.front().get()) {
      worker.accept(std::move(socket), std::move(peer_ip), entrance);
      return;
    }
    // std::function wants to be copied; a task that never runs closes the socket.
    auto shared = std::make_shared<net::Socket>(std::move(socket));
    const bool posted =
        worker.post([shared, ip = std::move(peer_ip), entrance](Worker& its) mutable {
          its.accept(std::move(*shared), std::move(ip), entrance);
        });
    if (!posted && on_trouble_) {
      on_trouble_(Error{ErrorCode::kTooLarge, "a worker's queue is full: connection closed"});
    }
  }

  static constexpr seconds kOpenAgain{1};

  std::vector<std::unique_ptr<Worker>>& workers_;
  std::function<void(const Error&)> on_trouble_;
  std::function<void(const std::string&)> on_ports_;
  std::shared_ptr<const config::Settings> settings_;  // that the fixed ports follow
  std::string closed_ports_;                          // as told to on_ports_
  std::map<std::pair<bool, std::string>, Listening> listeners_;
  std::size_t next_ = 0;
  net::Timer handshakes_over_;
  net::Timer again_;                 // for ports that could not be opened
  std::function<void()> on_closed_;  // set: closing or closed
};

ProxyServer::ProxyServer(ProxyOptions options) : options_(std::move(options)) {
  const int count = options_.settings->proxy.workers;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    workers_.push_back(std::make_unique<Worker>(index, options_.settings, options_.instance,
                                                options_.bounds,
                                                options_.seed + index * 0x9e3779b97f4a7c15U,
                                                access_, options_.on_routed, options_.on_trouble));
  }
  for (auto& worker : workers_) {
    worker->know(workers_);
  }
  acceptor_ = std::make_unique<Acceptor>(workers_, options_.on_trouble, options_.on_ports);
}

ProxyServer::~ProxyServer() {
  cut();
  workers_.clear();
}

void ProxyServer::cut() {
  // The threads first: a loop that nobody runs belongs to whoever owns it.
  for (auto& worker : workers_) {
    worker->halt();
  }
  acceptor_.reset();
  for (auto& worker : workers_) {
    worker->cut();
  }
}

Result<std::unique_ptr<ProxyServer>> ProxyServer::start(ProxyOptions options) {
  std::unique_ptr<ProxyServer> server(new ProxyServer(std::move(options)));
  if (auto opened = server->open(); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  for (auto& worker : server->workers_) {
    worker->start();
  }
  return server;
}

Status ProxyServer::open() {
  const config::Settings& settings = *options_.settings;
  auto outbound = acceptor_->open(settings.proxy.outbound, {});
  if (!outbound) {
    return fail(outbound.error().code, outbound.error().message + " (proxy.outbound)");
  }
  outbound_port_ = *outbound;
  if (settings.service && settings.proxy.inbound) {
    auto inbound = acceptor_->open(*settings.proxy.inbound, {.inbound = true, .upstream = {}});
    if (!inbound) {
      return fail(inbound.error().code, inbound.error().message + " (proxy.inbound)");
    }
    inbound_port_ = *inbound;
  }
  for (const auto& [name, upstream] : settings.upstreams) {
    if (!upstream.listen) {
      continue;
    }
    auto port = acceptor_->open(*upstream.listen, {.inbound = false, .upstream = name});
    if (!port) {
      return fail(port.error().code, port.error().message + " (upstreams." + name + ".listen)");
    }
    upstream_ports_[name] = *port;
  }
  return {};
}

void ProxyServer::publish(std::shared_ptr<const balancer::RoutingTable> table) {
  std::erase_if(tables_, [](const auto& one) { return one.use_count() == 1; });
  tables_.push_back(table);
  for (auto& worker : workers_) {
    if (!worker->post([table](Worker& its) { its.adopt_table(table); }) && options_.on_trouble) {
      // The version before stays; routed() tells, and the next table makes up for it.
      options_.on_trouble(
          Error{ErrorCode::kTooLarge, "a worker's queue is full: table not routed"});
    }
  }
}

void ProxyServer::publish(std::shared_ptr<const config::Settings> settings) {
  for (auto& worker : workers_) {
    const bool first = worker == workers_.front();
    const bool posted = worker->post([this, settings, first](Worker& its) {
      its.adopt_settings(settings);
      if (first) {
        acceptor_->follow(settings);
      }
    });
    if (!posted && options_.on_trouble) {
      options_.on_trouble(
          Error{ErrorCode::kTooLarge, "a worker's queue is full: settings not adopted"});
    }
  }
}

void ProxyServer::set_draining(bool draining) {
  for (auto& worker : workers_) {
    worker->set_draining(draining);
  }
}

// For each worker to call once, on its thread; the last one calls `done`.
std::function<void()> ProxyServer::after_all(std::function<void()> done) const {
  auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  return [left, call = std::make_shared<std::function<void()>>(std::move(done))] {
    if (left->fetch_sub(1) == 1) {
      (*call)();
    }
  };
}

void ProxyServer::empty_inbound(bool then_refuse, std::function<void()> on_emptied) {
  const auto one_emptied = after_all(std::move(on_emptied));
  for (auto& worker : workers_) {
    const bool posted = worker->post(
        [then_refuse, one_emptied](Worker& its) { its.empty_inbound(then_refuse, one_emptied); });
    if (!posted) {
      one_emptied();  // hopelessly behind; stop() is the next to try
    }
  }
}

std::int64_t ProxyServer::inbound_in_flight() const {
  std::int64_t sum = 0;
  for (const auto& worker : workers_) {
    sum += worker->metrics().inbound.in_flight.value();
  }
  return sum;
}

void ProxyServer::stop(std::function<void()> on_stopped) {
  const auto one_stopped = after_all(std::move(on_stopped));
  const auto stop_one = [one_stopped](Worker& worker) {
    if (!worker.post([one_stopped](Worker& its) { its.stop(one_stopped); })) {
      one_stopped();  // hopelessly behind; the destructor closes what it has
    }
  };
  // The listeners first, so that what had connected reaches its worker before the stop does.
  const bool posted = workers_.front()->post([this, stop_one](Worker&) {
    acceptor_->begin_close([this, stop_one] {
      for (auto& worker : workers_) {
        stop_one(*worker);
      }
    });
  });
  if (!posted) {
    for (auto& worker : workers_) {
      stop_one(*worker);
    }
  }
}

balancer::TableVersion ProxyServer::routed() const {
  balancer::TableVersion smallest = workers_.front()->routed();
  for (const auto& worker : workers_) {
    smallest = std::min(smallest, worker->routed());
  }
  return smallest;
}

std::vector<const metrics::WorkerMetrics*> ProxyServer::metrics() const {
  std::vector<const metrics::WorkerMetrics*> all;
  for (const auto& worker : workers_) {
    all.push_back(&worker->metrics());
  }
  return all;
}

std::uint64_t ProxyServer::connections_refused() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) {
    sum += worker->connections_refused();
  }
  return sum;
}

std::vector<std::size_t> ProxyServer::connections_open() const {
  std::vector<std::size_t> all;
  for (const auto& worker : workers_) {
    all.push_back(worker->connections_open());
  }
  return all;
}

}  // namespace ringside::proxy
