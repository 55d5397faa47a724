// Random requests over a small tree, so that they often meet.
#pragma once

#include <string>
#include <vector>

#include "config/base/rng.h"
#include "tests/unit/coord_registry/ring.h"

namespace ringside::coord::test {

inline std::string random_path(Rng& rng) {
  static const std::vector<std::string> kTops{"/a", "/b", "/ringside", "/ringside/s", "/ringsidex"};
  std::string path = kTops[rng.below(kTops.size())];
  for (std::uint64_t depth = rng.below(3); depth > 0; --depth) {
    path += std::string("/") + static_cast<char>('x' + rng.below(3));
  }
  return path;
}

inline WriteOp random_write(Rng& rng) {
  const std::string path = random_path(rng);
  const auto version = rng.chance(0.6) ? kAnyVersion : static_cast<std::int32_t>(rng.below(3));
  const std::string data(rng.below(30), static_cast<char>('0' + rng.below(10)));
  switch (rng.below(8)) {
    case 0: return remove(path, version, rng.chance(0.3));
    case 1: return remove(path);
    case 2: return set(path, data, version);
    case 3: return check(path, version);
    default: {
      Create op = create(path, static_cast<CreateMode>(rng.below(4)), data);
      op.make_parents = rng.chance(0.4);
      return op;
    }
  }
}

inline Request random_request(Rng& rng, const std::vector<SessionId>& sessions) {
  Request request;
  if (!sessions.empty() && rng.chance(0.8)) {
    request.session = sessions[rng.below(sessions.size())];
  }
  const auto kind = rng.below(40);
  if (kind == 0 || sessions.empty()) {
    request.session = SessionId{};
    request.what = CreateSession{milliseconds{1000 + static_cast<std::int64_t>(rng.below(5))}};
  } else if (kind == 1) {
    request.what = CloseSession{};
  } else if (kind == 2) {
    request.what = Sync{};
  } else {
    Multi multi;
    const std::uint64_t ops = rng.chance(0.6) ? 1 : rng.below(6);
    for (std::uint64_t i = 0; i < ops; ++i) {
      multi.ops.push_back(random_write(rng));
    }
    request.what = multi;
  }
  return request;
}

}  // namespace ringside::coord::test
