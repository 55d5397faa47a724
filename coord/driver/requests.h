// Requests of this member's own clients that are under way. Pure; owned by the driver.
//
// Each gets a number of its own for the ring, drawn from a random start: a transaction of an
// earlier run of this member, which may come back out of the log, must not answer a request of this
// one. Exactly one answer per request: taking it out here is what answering means.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/base/rng.h"
#include "coord/registry/request.h"

namespace ringside::coord {

class Requests {
 public:
  explicit Requests(Rng& rng) : next_(rng() >> 1U) {}

  // The number under which the ring knows it.
  RequestId add(RequestId local);
  // The client's number, and the request is over; nullopt: not (any more) under way.
  std::optional<RequestId> take(RequestId ring);
  [[nodiscard]] bool contains(RequestId ring) const { return under_way_.contains(ring.value); }
  // Those waiting for `zxid` to be reached, in order (see wait_for).
  std::vector<std::pair<RequestId, Reply>> take_reached(Zxid zxid);
  // The leader has answered: the client is, once the view has reached `zxid`.
  void wait_for(RequestId ring, Zxid zxid, Reply reply) {
    waiting_.emplace(zxid, std::pair{ring, std::move(reply)});
  }
  std::vector<RequestId> take_all();
  [[nodiscard]] std::size_t size() const { return under_way_.size(); }

 private:
  std::uint64_t next_;
  std::unordered_map<std::uint64_t, RequestId> under_way_;
  std::multimap<Zxid, std::pair<RequestId, Reply>> waiting_;
};

// What the leader answers without a transaction, but only while a quorum follows it: syncs, resumed
// sessions, who is behind. One quorum round serves all that came before it began.
struct SyncRequest {
  MemberId member;
  std::uint64_t run = 0;
  RequestId id;
  Zxid zxid;  // everything proposed when it came
  Request request{};
};

class SyncRounds {
 public:
  // True: begin a round now.
  bool add(SyncRequest request);
  // The round is over; what it confirmed. begin_next(): another must begin now.
  std::vector<SyncRequest> confirmed();
  bool begin_next();
  void clear();
  [[nodiscard]] std::size_t size() const { return queued_.size() + in_round_.size(); }

 private:
  bool running_ = false;
  std::vector<SyncRequest> queued_;
  std::vector<SyncRequest> in_round_;
};

}  // namespace ringside::coord
