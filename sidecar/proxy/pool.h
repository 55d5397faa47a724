// Connections to endpoints that wait for their next exchange: per worker, one HostPool for each
// endpoint, last in first out.
//
// Used by exchanges; worker thread only. A connection in use is owned by its exchange, an idle one
// by its HostPool, a dead one (its socket is closed) by Pools until the turn is over (it may still
// be in one of its own callbacks). Invariants: 1. at most kMaxIdle idle connections per endpoint
// and IdleBounds::connections per worker; 2. none is used that was idle for longer than IdleLimit
// says (idle_limit.h), and a sweep closes those that are past it; 3. a HostPool lives while it has
// idle connections or a PoolLease on it, or something was learned there not long ago; 4. a HostPool
// is found by its balancer::Host and holds a reference to it, so that an address of memory that was
// freed and taken again can't name another endpoint; 5. no connection stays idle here while
// somebody waits for one to that endpoint: it goes to who has waited longest, itself where that is
// a call of this worker, else its permit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "balancer/upstream.h"
#include "config/settings.h"
#include "sidecar/proxy/idle_limit.h"
#include "sidecar/proxy/upstream_connection.h"

namespace ringside::proxy {

class Pools;

// What a request demands of a connection that was used before.
struct Reuse {
  bool once = false;    // it can't be sent again: only a connection that is surely not ending
  bool verify = false;  // looks whether it is open still, at the price of a system call
};

struct IdleBounds {
  std::size_t connections = 16'384;  // per worker
  milliseconds memory{5'000};        // then one that is idle gives its buffers back
};

class HostPool {
 public:
  static constexpr std::size_t kMaxIdle = 256;
  static constexpr seconds kRememberTime{60};  // what was learned, without a connection

  HostPool(Pools& pools, std::shared_ptr<balancer::Host> host, config::Address address,
           bool sidecar);

  [[nodiscard]] const config::Address& address() const { return address_; }
  // The other end is a sidecar's inbound port, which says what it did not process.
  [[nodiscard]] bool sidecar() const { return sidecar_; }

  // The connection used last, if it may be used for that.
  std::unique_ptr<UpstreamConnection> take(Reuse reuse);
  // For how long it may have been idle to be used for that; zero: not at all.
  [[nodiscard]] Duration longest_idle(const UpstreamConnection& connection, Reuse reuse) const;
  // Wraps a fresh stream; its user owns it.
  std::unique_ptr<UpstreamConnection> adopt(std::unique_ptr<net::TcpStream> stream);
  // Back from its exchange, clean.
  void give(std::unique_ptr<UpstreamConnection> connection);
  // Back from its exchange, not to be used again. Safe inside its own callbacks.
  void discard(std::unique_ptr<UpstreamConnection> connection);
  // An idle connection met its end. Safe inside its own callbacks.
  void drop(UpstreamConnection& connection);
  // A connection that take() gave away turned out to have ended before.
  void note_idle_end(const UpstreamConnection& connection) {
    limit_.closed_after(connection.idle_before);
  }
  // Closes idle connections, from the one that has been idle longest, until the host's
  // limits.connections have room for one more: one of them, or after a reload more. False: those
  // that were idle here were not enough.
  bool make_room();

  [[nodiscard]] std::size_t idle() const { return idle_.size(); }
  [[nodiscard]] const IdleLimit& limit() const { return limit_; }

 private:
  friend class Pools;
  friend class PoolLease;
  void sweep();
  void close_idle(std::size_t count);  // the first ones
  // Another pool has taken its place: its users give connections back only to be closed.
  void retire();
  void pass_on(std::unique_ptr<UpstreamConnection> connection);
  [[nodiscard]] bool unused() const;

  Pools& pools_;
  std::shared_ptr<balancer::Host> host_;  // null: the local app
  config::Address address_;
  bool sidecar_;
  IdleLimit limit_;
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;  // in the order in which they came back
  std::size_t leases_ = 0;
  Instant used_{};  // a connection came back, or ended here
  bool retired_ = false;
};

// Keeps a HostPool: what an exchange holds while it connects to, or uses, that endpoint.
class PoolLease {
 public:
  PoolLease() = default;
  explicit PoolLease(HostPool& pool) : pool_(&pool) { ++pool.leases_; }
  PoolLease(PoolLease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  PoolLease& operator=(PoolLease other) noexcept {
    std::swap(pool_, other.pool_);
    return *this;
  }
  ~PoolLease() {
    if (pool_ != nullptr) --pool_->leases_;
  }
  [[nodiscard]] explicit operator bool() const { return pool_ != nullptr; }
  HostPool* operator->() const { return pool_; }
  HostPool& operator*() const { return *pool_; }

 private:
  HostPool* pool_ = nullptr;
};

class Pools {
 public:
  // `permits` is the worker's: waiters of this worker get idle connections themselves.
  Pools(const http::Limits& limits, balancer::PermitInbox& permits, std::function<Instant()> clock,
        const IdleBounds& bounds)
      : limits_(limits), permits_(permits), clock_(std::move(clock)), bounds_(bounds) {}

  // For a host of the routing table: through its sidecar where it has one.
  HostPool& of(const balancer::HostEntry& entry);
  // For the local app; another address than before begins anew.
  HostPool& app(const config::Address& address);
  // HostPool::make_room() for that host.
  bool make_room(const balancer::Host& host);

  // Closes what has been idle too long and forgets endpoints that nobody uses; not to be called
  // from a connection's callback.
  void sweep();
  [[nodiscard]] bool empty() const { return pools_.empty(); }
  [[nodiscard]] std::size_t idle() const { return idle_; }
  void close_all_idle();
  // The turn is over: nothing dead is in a callback any more.
  void bury() { dead_.clear(); }

 private:
  friend class HostPool;
  void replace(std::unique_ptr<HostPool>& pool);

  http::Limits limits_;
  balancer::PermitInbox& permits_;
  std::function<Instant()> clock_;
  const IdleBounds bounds_;
  std::size_t idle_ = 0;  // of all pools
  std::unordered_map<const balancer::Host*, std::unique_ptr<HostPool>> pools_;
  std::vector<std::unique_ptr<HostPool>> former_;  // replaced ones, until their users are through
  std::vector<std::unique_ptr<UpstreamConnection>> dead_;
};

}  // namespace ringside::proxy
