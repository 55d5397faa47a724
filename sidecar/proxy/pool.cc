#include "sidecar/proxy/pool.h"

#include <algorithm>
#include <utility>

#include "sidecar/proxy/permit_wait.h"

namespace ringside::proxy {

HostPool::HostPool(Pools& pools, std::shared_ptr<balancer::Host> host, config::Address address,
                   bool sidecar)
    : pools_(pools), host_(std::move(host)), address_(std::move(address)), sidecar_(sidecar) {}

std::unique_ptr<UpstreamConnection> HostPool::take(Instant now, Duration max_idle, bool verify) {
  while (!idle_.empty() && now - idle_.back()->idle_since <= max_idle) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (!verify || connection->stream().quiet()) {
      return connection;
    }
    discard(std::move(connection));
  }
  return nullptr;
}

std::unique_ptr<UpstreamConnection> HostPool::adopt(std::unique_ptr<net::TcpStream> stream) {
  return std::make_unique<UpstreamConnection>(*this, std::move(stream), pools_.limits_);
}

void HostPool::give(std::unique_ptr<UpstreamConnection> connection, Instant now) {
  if (retired_ || idle_.size() >= kMaxIdle) {
    discard(std::move(connection));
    return;
  }
  connection->detach();
  connection->idle_since = now;
  connection->stream().read_start();
  if (host_ != nullptr && host_->connections().crowded()) {
    pass_on(std::move(connection));
    return;
  }
  idle_.push_back(std::move(connection));
}

void HostPool::pass_on(std::unique_ptr<UpstreamConnection> connection) {
  balancer::Permit permit = connection->take_permit();
  if (permit) {
    if (auto* waiter = host_->connections().pass_on(permit, pools_.permits_)) {
      static_cast<PermitWait*>(waiter)->bring(PoolLease(*this), std::move(connection));
      return;
    }
  }
  connection->hold(std::move(permit));
  discard(std::move(connection));
}

bool HostPool::give_up_idle() {
  if (idle_.empty()) {
    return false;
  }
  auto oldest = std::move(idle_.front());
  idle_.erase(idle_.begin());
  discard(std::move(oldest));
  return true;
}

void HostPool::discard(std::unique_ptr<UpstreamConnection> connection) {
  connection->close();
  pools_.dead_.push_back(std::move(connection));
}

void HostPool::drop(UpstreamConnection& connection) {
  const auto found =
      std::ranges::find_if(idle_, [&](const auto& one) { return one.get() == &connection; });
  if (found == idle_.end()) {
    connection.close();  // passed on, and not taken up yet
    return;
  }
  connection.close();
  pools_.dead_.push_back(std::move(*found));
  idle_.erase(found);
}

void HostPool::close_idle_before(Instant when) {
  const auto first_kept =
      std::ranges::find_if(idle_, [&](const auto& one) { return one->idle_since >= when; });
  for (auto it = idle_.begin(); it != first_kept; ++it) {
    pools_.dead_.push_back(std::move(*it));
  }
  idle_.erase(idle_.begin(), first_kept);
}

void HostPool::retire() {
  retired_ = true;
  close_idle_before(kNever);
}

HostPool& Pools::of(const balancer::HostEntry& entry) {
  const bool sidecar = entry.endpoint.inbound_port != 0;
  const std::uint16_t port = sidecar ? entry.endpoint.inbound_port : entry.endpoint.port;
  auto& pool = pools_[entry.host.get()];
  if (pool != nullptr && pool->address_.port == port && pool->sidecar_ == sidecar) {
    return *pool;
  }
  if (pool != nullptr) {
    pool->retire();
    former_.push_back(std::move(pool));
  }
  pool = std::make_unique<HostPool>(*this, entry.host, config::Address{entry.endpoint.host, port},
                                    sidecar);
  return *pool;
}

HostPool& Pools::app(const config::Address& address) {
  auto& pool = pools_[nullptr];
  if (pool == nullptr || pool->address_ != address) {
    if (pool != nullptr) {
      pool->retire();
      former_.push_back(std::move(pool));
    }
    pool = std::make_unique<HostPool>(*this, nullptr, address, false);
  }
  return *pool;
}

bool Pools::give_up_idle(const balancer::Host& host) {
  const auto found = pools_.find(&host);
  return found != pools_.end() && found->second->give_up_idle();
}

void Pools::sweep(Instant now) {
  for (auto& [host, pool] : pools_) {
    pool->close_idle_before(now - HostPool::kMaxIdleTime);
  }
  // The dead refer to their pools.
  dead_.clear();
  const auto unused = [](const HostPool& pool) { return pool.leases_ == 0 && pool.idle_.empty(); };
  std::erase_if(pools_, [&](const auto& one) { return unused(*one.second); });
  std::erase_if(former_, [&](const auto& one) { return unused(*one); });
}

void Pools::close_all_idle() {
  for (auto& [host, pool] : pools_) {
    pool->close_idle_before(kNever);
  }
}

}  // namespace ringside::proxy
