// Everything that a client can see of two registries, side by side.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>

#include "coord/registry/registry.h"

namespace ringside::coord::test {

inline void require_same_below(const Registry& a, const Registry& b, const std::string& path) {
  CAPTURE(path);
  const auto ours = a.get(path);
  const auto theirs = b.get(path);
  REQUIRE(ours.has_value() == theirs.has_value());
  if (ours) {
    REQUIRE(ours->stat == theirs->stat);
    REQUIRE(ours->data == theirs->data);
    const auto names = a.children(path);
    REQUIRE(names == b.children(path));
    for (const std::string& name : *names) {
      require_same_below(a, b, (path == "/" ? "" : path) + "/" + name);
    }
  }
}

inline void require_same_state(const Registry& a, const Registry& b) {
  REQUIRE(a.applied() == b.applied());
  REQUIRE(a.scoped() == b.scoped());
  REQUIRE(a.digest() == b.digest());
  REQUIRE(a.scope_digest() == b.scope_digest());
  REQUIRE(a.znodes() == b.znodes());
  require_same_below(a, b, a.scoped() ? std::string(kObserverScope) : "/");
  REQUIRE(a.session_count() == b.session_count());
  for (const SessionInfo& session : a.sessions()) {
    const auto other = b.session(session.id);
    REQUIRE(other.has_value());
    REQUIRE(session.timeout == other->timeout);
    REQUIRE(session.closing == other->closing);
    REQUIRE(session.sidecar == other->sidecar);
    REQUIRE(a.secret_of(session.id) == b.secret_of(session.id));
    REQUIRE(a.ephemerals(session.id) == b.ephemerals(session.id));
  }
}

inline Registry loaded(ByteView snapshot) {
  auto registry = Registry::load(snapshot);
  const std::string why = registry ? "" : registry.error().message;
  REQUIRE_MESSAGE(registry.has_value(), why);
  return std::move(*registry);
}

}  // namespace ringside::coord::test
