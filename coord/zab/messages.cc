#include "coord/zab/messages.h"

#include <array>

namespace ringside::coord {

const char* name_of(const Message& message) {
  static constexpr std::array<const char*, std::variant_size_v<Message>> kNames{
      "Notification",  "FollowerInfo",   "LeaderInfo",        "AckEpoch",
      "SyncStart",     "SnapshotChunk",  "SyncEntries",       "NewLeader",
      "AckNewLeader",  "UpToDate",       "Proposal",          "Ack",
      "Commit",        "Heartbeat",      "HeartbeatReply",    "ForwardedRequest",
      "RequestAnswer", "RequestRefused", "ObserverInfo",      "ObserverStart",
      "Inform",        "SnapshotAck",    "ForwardedRequests", "SnapshotData"};
  return kNames[message.index()];
}

}  // namespace ringside::coord
