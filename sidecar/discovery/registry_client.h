// What discovery asks of a registry: the ring's driver today, a ZooKeeper or etcd cluster later
// (product.md, registry.engine).
//
// Implemented by sidecar/app over the driver; used on the control loop's thread alone. A reply
// handler is called exactly once and never from within submit().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "coord/registry/registry.h"
#include "coord/registry/request.h"

namespace ringside::discovery {

// Whom this member is, and which contact with the leader this is: another number after each loss.
struct Contact {
  coord::MemberId self;
  std::uint64_t number = 0;
  bool operator==(const Contact&) const = default;
};

class RegistryClient {
 public:
  using ReplyHandler = std::function<void(const coord::Reply&)>;

  virtual ~RegistryClient() = default;
  virtual void submit(coord::Request request, ReplyHandler on_reply) = 0;
  // A leader is known, so that a request goes out; while there is none it would surely not.
  [[nodiscard]] virtual bool in_touch() const = 0;
  [[nodiscard]] virtual Contact contact() const = 0;
  // The registry shows what the ring has, or had when it was last heard (`in_touch`).
  [[nodiscard]] virtual bool has_view() const = 0;
  // Tells the ring that the session's owner lives.
  virtual void touch(coord::SessionId session) = 0;
  // Whether the ring still has the session, by what is applied here; nullopt where that is not
  // known (an observer holds no sessions).
  [[nodiscard]] virtual std::optional<bool> session_lives(coord::SessionId session) const = 0;
  [[nodiscard]] virtual const coord::Registry& registry() const = 0;
};

}  // namespace ringside::discovery
