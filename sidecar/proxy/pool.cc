#include "sidecar/proxy/pool.h"

#include <algorithm>
#include <utility>

#include "sidecar/proxy/permit_wait.h"

namespace ringside::proxy {

HostPool::HostPool(Pools& pools, std::shared_ptr<balancer::Host> host, config::Address address,
                   bool sidecar)
    : pools_(pools), host_(std::move(host)), address_(std::move(address)), sidecar_(sidecar) {}

std::unique_ptr<UpstreamConnection> HostPool::take(Reuse reuse) {
  const Instant now = pools_.clock_();
  while (!idle_.empty()) {
    UpstreamConnection& last = *idle_.back();
    const Duration limit = longest_idle(last, reuse);
    last.idle_before = now - last.idle_since;
    if (limit == Duration::zero() || last.idle_before > limit) {
      return nullptr;  // the others have been idle for longer still
    }
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    --pools_.idle_;
    if (!reuse.verify || connection->stream().quiet()) {
      return connection;
    }
    note_idle_end(*connection);
    discard(std::move(connection));
  }
  return nullptr;
}

Duration HostPool::longest_idle(const UpstreamConnection& connection, Reuse reuse) const {
  const auto timeout = connection.terms().timeout;
  return reuse.once ? limit_.once(timeout) : limit_.to_repeat(timeout);
}

std::unique_ptr<UpstreamConnection> HostPool::adopt(std::unique_ptr<net::TcpStream> stream) {
  return std::make_unique<UpstreamConnection>(*this, std::move(stream), pools_.limits_);
}

void HostPool::give(std::unique_ptr<UpstreamConnection> connection) {
  connection->rest();
  const http::KeepAliveTerms& terms = connection->terms();
  if (retired_ || terms.max == 0 || limit_.to_repeat(terms.timeout) == Duration::zero()) {
    discard(std::move(connection));
    return;
  }
  used_ = connection->idle_since = pools_.clock_();
  connection->stream().read_start();
  if (host_ != nullptr && host_->connections().crowded()) {
    pass_on(std::move(connection));
    return;
  }
  const bool full = idle_.size() >= kMaxIdle || pools_.idle_ >= pools_.bounds_.connections;
  if (full && idle_.empty()) {
    discard(std::move(connection));
    return;
  }
  if (full) {
    close_idle(1);
  }
  idle_.push_back(std::move(connection));
  ++pools_.idle_;
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

bool HostPool::make_room() {
  const balancer::PermitGate& gate = host_->connections();
  bool enough = false;
  while (!enough && !idle_.empty()) {
    enough = gate.used() <= gate.limit();
    close_idle(1);
  }
  return enough;
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
  used_ = pools_.clock_();
  connection.idle_before = used_ - connection.idle_since;
  note_idle_end(connection);
  connection.close();
  pools_.dead_.push_back(std::move(*found));
  idle_.erase(found);
  --pools_.idle_;
}

void HostPool::close_idle(std::size_t count) {
  const auto end = idle_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto it = idle_.begin(); it != end; ++it) {
    discard(std::move(*it));
  }
  idle_.erase(idle_.begin(), end);
  pools_.idle_ -= count;
}

void HostPool::retire() {
  retired_ = true;
  close_idle(idle_.size());
}

bool HostPool::unused() const {
  if (leases_ > 0 || !idle_.empty()) {
    return false;
  }
  const bool learned = limit_.learned() < IdleLimit::kMost;
  return retired_ || !learned || pools_.clock_() - used_ > kRememberTime;
}

void HostPool::sweep() {
  const Instant now = pools_.clock_();
  const auto idle_time = [now](const auto& one) { return now - one->idle_since; };
  // The last one that is past its limit; those before it were idle for longer and go with it.
  const auto past = [&](const auto& one) {
    return idle_time(one) > limit_.to_repeat(one->terms().timeout);
  };
  const auto last_past = std::find_if(idle_.rbegin(), idle_.rend(), past);
  if (last_past != idle_.rend()) {
    const Duration longest = idle_time(idle_.front());
    close_idle(static_cast<std::size_t>(idle_.rend() - last_past));
    limit_.survived(longest);
  }
  for (const auto& one : idle_) {
    if (idle_time(one) < pools_.bounds_.memory) {
      break;
    }
    one->release_memory();
  }
}

HostPool& Pools::of(const balancer::HostEntry& entry) {
  const bool sidecar = entry.endpoint.inbound_port != 0;
  const std::uint16_t port = sidecar ? entry.endpoint.inbound_port : entry.endpoint.port;
  auto& pool = pools_[entry.host.get()];
  if (pool != nullptr && pool->address_.port == port && pool->sidecar_ == sidecar) {
    return *pool;
  }
  replace(pool);
  pool = std::make_unique<HostPool>(*this, entry.host, config::Address{entry.endpoint.host, port},
                                    sidecar);
  return *pool;
}

// Who uses it now may go on to do so.
void Pools::replace(std::unique_ptr<HostPool>& pool) {
  if (pool != nullptr) {
    pool->retire();
    former_.push_back(std::move(pool));
  }
}

HostPool& Pools::app(const config::Address& address) {
  auto& pool = pools_[nullptr];
  if (pool == nullptr || pool->address_ != address) {
    replace(pool);
    pool = std::make_unique<HostPool>(*this, nullptr, address, false);
  }
  return *pool;
}

bool Pools::make_room(const balancer::Host& host) {
  const auto found = pools_.find(&host);
  return found != pools_.end() && found->second->make_room();
}

void Pools::sweep() {
  for (auto& [host, pool] : pools_) {
    pool->sweep();
  }
  // The dead refer to their pools.
  dead_.clear();
  std::erase_if(pools_, [](const auto& one) { return one.second->unused(); });
  std::erase_if(former_, [](const auto& one) { return one->unused(); });
}

void Pools::close_all_idle() {
  for (auto& [host, pool] : pools_) {
    pool->close_idle(pool->idle_.size());
  }
}

}  // namespace ringside::proxy
