// What members say to each other. Values; encoded by coord/codec/peer_message.
//
// Each message travels in an Envelope with a run: the number that a follower or observer drew when
// it attached to its leader. Both sides put it on all they say within that attachment and drop what
// carries another one (D10). Notifications and refusals stand outside of any attachment (run 0).
#pragma once

#include <compare>
#include <cstdint>
#include <variant>
#include <vector>

#include "coord/registry/request.h"
#include "coord/zab/types.h"

namespace ringside::coord {

// By what a voter is measured in an election. `willing` is false for a member that is about to
// leave: it wins only if its log is longer than everybody else's.
struct Credentials {
  Epoch epoch;  // current_epoch
  Zxid zxid;    // last durable logged one (ZooKeeper's ZK-2845)
  bool willing = true;
  MemberId id;

  auto operator<=>(const Credentials&) const = default;
  // Has a better log; who it is does not matter.
  [[nodiscard]] bool beats(const Credentials& other) const {
    return epoch != other.epoch ? epoch > other.epoch : zxid > other.zxid;
  }
};

// --- election, between voters; observers hear it too, to know who leads
struct Notification {
  Role role = Role::kLooking;
  bool ready = false;  // looking: the log is at rest, own and vote count
  Credentials own;
  MemberId vote;  // looking: whom it prefers (0: nobody yet); following, leading: the leader
  Epoch reign;    // following, leading: the epoch, once established
  bool established = false;  // a quorum acknowledged NEWLEADER (D8)
  bool in_doubt = false;     // D16
  bool wants_answer = false;
  bool aside = false;  // takes no part for now: there is no room on its disk
};

// --- discovery
struct FollowerInfo {
  BirthId birth;
  Epoch accepted;
  Epoch current;
  Zxid last;
  bool in_doubt = false;
};
struct LeaderInfo {
  BirthId birth;
  Epoch epoch;  // the new one
};
struct AckEpoch {
  Epoch epoch;
  Epoch current;
  Zxid last;
  bool counts = false;     // it had promised nothing to this epoch before, and is not in doubt
  std::vector<Zxid> ends;  // last zxid of each epoch in its log, newest first, at most
                           // kMaxEpochEnds
};
inline constexpr std::size_t kMaxEpochEnds = 64;

// --- synchronization
enum class SyncMode : std::uint8_t { kDiff, kTrunc, kSnap };
struct SyncStart {
  SyncMode mode = SyncMode::kDiff;
  Zxid keep_until;  // own entries up to here stay; kSnap: zxid of the snapshot
};
struct SnapshotChunk {  // taken in by the driver, which gives Zab a SnapshotData after the last
  Zxid zxid;
  std::uint64_t offset = 0;
  bool last = false;
  Bytes bytes;
};
struct SnapshotAck {  // everything below `offset` is taken in; after the last chunk: all is whole
  Zxid zxid;
  std::uint64_t offset = 0;
};
struct SnapshotData {  // never on the wire
  Zxid zxid;
  std::uint64_t token = 0;  // by which the driver finds what it has taken in
};
struct SyncEntries {
  std::vector<Entry> entries;
};
struct NewLeader {
  Epoch epoch;
  Zxid last;    // of the history just sent
  Zxid commit;  // committed for sure
};
struct AckNewLeader {
  Zxid last;
};
struct UpToDate {
  Zxid commit;
};

// --- broadcast
struct Proposal {
  Zxid commit;
  std::vector<Entry> entries;
};
struct Ack {  // cumulative, after fsync (D2)
  Zxid zxid;
};
struct Commit {
  Zxid zxid;
};
struct Heartbeat {
  std::uint64_t round = 0;
  Epoch epoch;
  Zxid commit;
  bool quorum = false;  // the leader has heard a quorum within election_timeout
  // Filled in by the driver: state after `applied` (D13).
  Zxid applied;
  std::uint64_t digest = 0;
  std::uint64_t scope_digest = 0;
};
struct HeartbeatReply {
  std::uint64_t round = 0;
  Zxid applied;
  // Filled in by the driver: sessions heard of here, and what this member's data path has adopted.
  std::vector<SessionId> touches;
  Zxid routed{};
};

// --- requests
struct ForwardedRequest {
  RequestId id;
  Bytes request;
};
struct ForwardedRequests {  // what gathered in one turn, in order; at least two
  std::vector<ForwardedRequest> requests;
};
// Of one such frame, so that no turn of the leader takes long; but always one request.
inline constexpr std::size_t kMaxForwarded = 256;
inline constexpr std::size_t kMaxForwardedBytes = 64U << 10U;
// What the leader says to a request without a transaction. If that took a quorum, one was confirmed
// after the request.
struct RequestAnswer {
  RequestId id;
  Zxid zxid;    // apply up to here, then answer
  Reply reply;  // without results
};
struct RequestRefused {
  RequestId id;
};

// --- observers
struct ObserverInfo {};
struct ObserverStart {  // its snapshot follows
  BirthId birth;
  Epoch epoch;
  Zxid zxid;
};
struct Inform {
  Zxid previous;  // of this feed (D5)
  Zxid zxid;
  Bytes txn;
};

// The place in this list is the kind on the wire: new ones go to the end, before SnapshotData.
using Message =
    std::variant<Notification, FollowerInfo, LeaderInfo, AckEpoch, SyncStart, SnapshotChunk,
                 SyncEntries, NewLeader, AckNewLeader, UpToDate, Proposal, Ack, Commit, Heartbeat,
                 HeartbeatReply, ForwardedRequest, RequestAnswer, RequestRefused, ObserverInfo,
                 ObserverStart, Inform, SnapshotAck, ForwardedRequests, SnapshotData>;

struct Envelope {
  std::uint64_t run = 0;
  Message message;
};

const char* name_of(const Message& message);

}  // namespace ringside::coord
