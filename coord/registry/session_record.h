// What the registry keeps of a session beside its id, as bytes in snapshots and as part of the
// digest: the one place to change when a session gets a field. Pure; inside coord/registry only.
//
//   u64 id, i64 timeout_ms, u64 sidecar, u8 closing
#pragma once

#include <optional>
#include <utility>

#include "config/base/bytes.h"
#include "config/base/time.h"
#include "coord/zab/types.h"

namespace ringside::coord {

struct SessionRecord {
  milliseconds timeout{};
  MemberId sidecar;  // as in TxnCreateSession
  bool closing = false;
};
inline constexpr std::size_t kSessionRecordBytes = 25;

std::uint64_t hash_session(SessionId id, const SessionRecord& session);

void put_session(ByteWriter& out, SessionId id, const SessionRecord& session);
// nullopt: bytes that put_session does not make.
std::optional<std::pair<SessionId, SessionRecord>> get_session(ByteReader& in);

}  // namespace ringside::coord
