// Worker: one thread with its loop, the connections it accepted or was handed, its pools and its
// counters.
//
// Made, started and stopped by ProxyServer; everything else runs on the worker's own thread,
// reached by post(). Invariants: 1. a connection belongs to one worker from accept to close; 2. at
// most Bounds::connections callers at a time; further ones are counted and told so, kTurnedAway of
// them at a time, the rest is closed at once; 3. what ended in its own callback is destroyed when
// the turn is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "balancer/routing_table.h"
#include "config/settings.h"
#include "sidecar/metrics/worker_metrics.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/socket.h"
#include "sidecar/net/timer.h"
#include "sidecar/net/turn_end_task.h"
#include "sidecar/proxy/context.h"
#include "sidecar/proxy/downstream.h"

namespace ringside::proxy {

class Worker final : public DownstreamOwner {
 public:
  static constexpr seconds kSweepEvery{1};
  static constexpr std::size_t kTurnedAway = 256;

  Worker(std::size_t index, std::shared_ptr<const config::Settings> settings,
         const std::string& instance, const Bounds& bounds, std::uint64_t seed, AccessQueue& access,
         std::function<void()> on_routed, std::function<void(const Error&)> on_trouble);
  ~Worker();

  void start();  // the thread
  void halt();   // ends the thread at the end of its turn, if there is one
  void cut();    // the same, and closes what is left; nothing is called back any more
  // Runs `task` on the worker's thread; dropped (false) only when its queue is full.
  bool post(std::function<void(Worker&)> task);

  // From any thread.
  void set_draining(bool draining) {
    post([draining](Worker& its) { its.context_.draining = draining; });
  }
  // Before start(): all workers, this one among them.
  void know(std::span<const std::unique_ptr<Worker>> all) { all_ = all; }
  [[nodiscard]] const metrics::WorkerMetrics& metrics() const { return metrics_; }
  // Picks by an older table than this are all sent, or given up.
  [[nodiscard]] balancer::TableVersion routed() const;
  [[nodiscard]] std::uint64_t connections_refused() const {
    return refused_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t connections_open() const {
    return open_.load(std::memory_order_relaxed);
  }

  // On the worker's thread (or before start()).
  [[nodiscard]] net::Loop& loop() { return loop_; }
  void adopt_table(std::shared_ptr<const balancer::RoutingTable> table);
  void adopt_settings(std::shared_ptr<const config::Settings> settings);
  void accept(net::Socket socket, std::string peer_ip, std::shared_ptr<const Entrance> entrance);
  // ProxyServer::empty_inbound, of this worker.
  void empty_inbound(bool then_refuse, std::function<void()> on_emptied);
  // Takes no more requests, lets exchanges end, calls `on_stopped` on this thread when the last
  // connection is closed; after drain.timeout it closes what is left.
  void stop(std::function<void()> on_stopped);

  void on_downstream_closed(Downstream& downstream) override;

 private:
  void end_of_turn();
  // A stop for all connections, or for the inbound ones.
  void stop_connections(bool inbound_only);
  void sweep();
  void check_stopped();
  void ask_for_idle(const std::shared_ptr<balancer::Host>& host, std::size_t workers);

  const std::size_t index_;
  std::span<const std::unique_ptr<Worker>> all_;
  metrics::WorkerMetrics metrics_;
  net::Loop loop_;
  WorkerContext context_;
  net::TurnEndTask turn_end_;
  net::Timer sweep_;
  net::Timer stop_limit_;
  std::vector<std::unique_ptr<Downstream>> connections_;
  std::vector<std::unique_ptr<Downstream>> dead_;
  std::function<void()> on_stopped_;
  std::function<void()> on_emptied_;
  bool refuse_when_empty_ = false;

  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::size_t> open_{0};
  mutable std::mutex mutex_;  // guards routed_
  balancer::TableVersion routed_;
  std::function<void()> on_routed_;
  std::thread thread_;
};

}  // namespace ringside::proxy
