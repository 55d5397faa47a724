#include "coord/registry/session_record.h"

#include <array>

#include "coord/registry/hash.h"
#include "coord/registry/request.h"

namespace ringside::coord {

std::uint64_t hash_session(SessionId id, const SessionRecord& session) {
  const std::array<std::uint64_t, 4> words{id.value,
                                           static_cast<std::uint64_t>(session.timeout.count()),
                                           session.sidecar.value, session.closing ? 1U : 0U};
  return hash_words(words);
}

void put_session(ByteWriter& out, SessionId id, const SessionRecord& session) {
  out.u64(id.value);
  out.i64(session.timeout.count());
  out.u64(session.sidecar.value);
  out.boolean(session.closing);
}

std::optional<std::pair<SessionId, SessionRecord>> get_session(ByteReader& in) {
  const SessionId id{in.u64()};
  SessionRecord session;
  session.timeout = milliseconds{in.i64()};
  session.sidecar = MemberId{in.u64()};
  session.closing = in.boolean();
  if (!in.ok() || !id || session.timeout <= milliseconds{0} ||
      session.timeout > kMaxSessionTimeout) {
    return std::nullopt;
  }
  return std::pair{id, session};
}

}  // namespace ringside::coord
