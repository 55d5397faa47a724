// Secrets of sessions: who shows one may move the session to another member. The secret of a
// session is SipHash-2-4 with 128 bits of output over its id, keyed by the ring's secret of 128
// bits, which is replicated, is in no observer's scope, and is neither shown nor logged. Pure; used
// by the registry and its Preparer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "coord/zab/types.h"

namespace ringside::coord {

inline constexpr std::size_t kSecretBytes = 16;

struct RingSecret {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;

  explicit operator bool() const { return k0 != 0 || k1 != 0; }  // both 0: there is none
  bool operator==(const RingSecret&) const = default;
};

Bytes session_secret(RingSecret ring, SessionId session);
// Takes as long for any two of the same length.
bool same_secret(ByteView a, ByteView b);
// For digests: it gives nothing of the secret away.
std::uint64_t hash_secret(RingSecret ring);

}  // namespace ringside::coord
