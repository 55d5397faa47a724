#include "sidecar/proxy/worker.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "sidecar/net/tcp_stream.h"

namespace ringside::proxy {

Worker::Worker(std::size_t index, std::shared_ptr<const config::Settings> settings,
               const std::string& instance, const Bounds& bounds, std::uint64_t seed,
               AccessQueue& access, std::function<void()> on_routed,
               std::function<void(const Error&)> on_trouble)
    : index_(index),
      metrics_(fmt::format("worker-{}", index)),
      context_(loop_, std::move(settings), instance, bounds, seed, metrics_, access),
      turn_end_(loop_, [this] { end_of_turn(); }),
      sweep_(loop_, [this] { sweep(); }),
      stop_limit_(loop_,
                  [this] {
                    while (!connections_.empty()) {
                      connections_.back()->cut();
                    }
                  }),
      on_routed_(std::move(on_routed)) {
  context_.on_trouble = std::move(on_trouble);
  context_.routed.on_change([this](balancer::TableVersion version) {
    {
      const std::lock_guard lock(mutex_);
      routed_ = version;
    }
    if (on_routed_) {
      on_routed_();
    }
  });
  context_.ask_for_idle = [this](const std::shared_ptr<balancer::Host>& host) {
    ask_for_idle(host, all_.empty() ? 0 : all_.size() - 1);
  };
  loop_.observe_turns([this](Duration spent) { metrics_.loop_turn.record(spent); });
}

Worker::~Worker() {
  cut();
  dead_.clear();
}

void Worker::cut() {
  halt();
  loop_.observe_turns(nullptr);
  on_stopped_ = nullptr;
  on_emptied_ = nullptr;
  while (!connections_.empty()) {
    connections_.back()->cut();
  }
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
  // As its loop is called in the metrics, for `top -H`. Only a name of more than 15 bytes fails.
  pthread_setname_np(thread_.native_handle(), fmt::format("worker-{}", index_).c_str());
}

void Worker::halt() {
  if (thread_.joinable()) {
    loop_.stop();
    thread_.join();
  }
}

bool Worker::post(std::function<void(Worker&)> task) {
  return loop_.post([this, task = std::move(task)] { task(*this); }).has_value();
}

balancer::TableVersion Worker::routed() const {
  const std::lock_guard lock(mutex_);
  return routed_;
}

void Worker::adopt_table(std::shared_ptr<const balancer::RoutingTable> table) {
  const auto version = table->version();
  context_.view.update(std::move(table));
  context_.routed.adopt(version);
}

void Worker::adopt_settings(std::shared_ptr<const config::Settings> settings) {
  context_.settings = std::move(settings);
}

void Worker::accept(net::Socket socket, std::string peer_ip,
                    std::shared_ptr<const Entrance> entrance) {
  const bool stopped = context_.stopping && !on_stopped_;
  const bool too_many = connections_.size() >= context_.bounds.connections;
  if (too_many || stopped) {
    refused_.fetch_add(1, std::memory_order_relaxed);
  }
  if (stopped || connections_.size() >= context_.bounds.connections + kTurnedAway) {
    return;
  }
  auto downstream =
      std::make_unique<Downstream>(context_, *this, std::move(entrance), std::move(peer_ip));
  auto stream = net::TcpStream::adopt(loop_, std::move(socket), *downstream);
  downstream->slot = connections_.size();
  connections_.push_back(std::move(downstream));
  open_.store(connections_.size(), std::memory_order_relaxed);
  if (too_many) {
    connections_.back()->turn_away(std::move(stream));
  } else {
    connections_.back()->start(std::move(stream));
  }
}

void Worker::on_downstream_closed(Downstream& downstream) {
  const std::size_t slot = downstream.slot;
  dead_.push_back(std::move(connections_[slot]));
  if (slot + 1 != connections_.size()) {
    connections_[slot] = std::move(connections_.back());
    connections_[slot]->slot = slot;
  }
  connections_.pop_back();
  open_.store(connections_.size(), std::memory_order_relaxed);
  check_stopped();
}

void Worker::stop(std::function<void()> on_stopped) {
  context_.stopping = true;
  on_stopped_ = std::move(on_stopped);
  stop_limit_.start(context_.settings->drain.timeout);
  stop_connections(false);
  check_stopped();
}

void Worker::stop_connections(bool inbound_only) {
  std::vector<Downstream*> all;
  for (const auto& connection : connections_) {
    if (connection->inbound() || !inbound_only) {
      all.push_back(connection.get());
    }
  }
  // A stop may close at once; the objects stay until the turn is over.
  for (Downstream* connection : all) {
    connection->stop();
  }
}

void Worker::empty_inbound(bool then_refuse, std::function<void()> on_emptied) {
  refuse_when_empty_ = then_refuse;
  on_emptied_ = std::move(on_emptied);  // end_of_turn() looks
  stop_connections(true);
}

void Worker::check_stopped() {
  if (on_stopped_ && connections_.empty()) {
    stop_limit_.stop();
    context_.pools.close_all_idle();
    std::exchange(on_stopped_, nullptr)();
  }
}

// From one to the next, until one of `workers` has an idle connection to close or nobody waits.
void Worker::ask_for_idle(const std::shared_ptr<balancer::Host>& host, std::size_t workers) {
  if (workers == 0) {
    return;
  }
  Worker& next = *all_[(index_ + 1) % all_.size()];
  const bool posted = next.post([host, workers](Worker& its) {
    if (host->connections().crowded() && !its.context_.pools.make_room(*host)) {
      its.ask_for_idle(host, workers - 1);
    }
  });
  // Asked for nothing then: who waits gets what else comes free, or is told that it took too long.
  static_cast<void>(posted);
}

void Worker::end_of_turn() {
  if (on_emptied_ && metrics_.inbound.in_flight.value() == 0) {
    context_.refusing = refuse_when_empty_;
    std::exchange(on_emptied_, nullptr)();
  }
  if (!context_.permits.empty()) {
    context_.permits.collect();
  }
  context_.servings.collect();
  dead_.clear();
  context_.pools.bury();
  // Only while something may grow old: a sidecar without traffic sleeps.
  if ((!context_.pools.empty() || !context_.servings.empty()) && !sweep_.active()) {
    sweep_.start(kSweepEvery);
  }
}

void Worker::sweep() {
  context_.pools.sweep();
  context_.servings.trim();
}

}  // namespace ringside::proxy
