#include "coord/registry/secret.h"

#include <array>

#include "coord/registry/hash.h"

namespace ringside::coord {

Bytes session_secret(RingSecret ring, SessionId session) {
  ByteWriter id;
  id.u64(session.value);
  const auto hash = hash_bytes_128(id.take(), HashKey{ring.k0, ring.k1});
  return {hash.begin(), hash.end()};
}

bool same_secret(ByteView a, ByteView b) {
  if (a.size() != b.size()) {
    return false;
  }
  // Through a volatile, so that no compiler finds out that it could stop at the first difference.
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

std::uint64_t hash_secret(RingSecret ring) {
  constexpr std::array<std::uint64_t, 1> kWhat{0x736563726574U};  // "secret"
  return ring ? hash_words(kWhat, HashKey{ring.k0, ring.k1}) : 0;
}

}  // namespace ringside::coord
