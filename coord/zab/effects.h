// What goes into the Zab step machine and what comes out of it. Values.
//
// Effects are one ordered list; the driver carries them out from first to last. Whatever must wait
// for the disk is not in the list: the machine keeps it until the Persisted event of that id comes
// back, so "send after persist" is simply the effect of a later step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/base/time.h"
#include "coord/zab/messages.h"

namespace ringside::coord {

struct ZabOptions {
  MemberId self;
  std::vector<MemberId> voters;
  milliseconds heartbeat_interval{100};
  milliseconds election_timeout{1000};
  // A follower further behind is dropped back to synchronization.
  std::uint64_t max_lag_bytes = 64ULL << 20U;
  std::size_t max_lag_entries = 100'000;
  // Entries below the applied one that stay in memory, so that a late follower gets a DIFF. The
  // bytes are where it starts; keep_log() follows the size of the tree.
  std::uint64_t keep_bytes = 16ULL << 20U;
  std::size_t keep_entries = 100'000;
  // What one step hands out for applying at most, so that no turn of the loop takes long.
  std::uint64_t deliver_bytes = 256ULL << 10U;
  std::size_t deliver_entries = 256;
  // Followers that take a snapshot at a time; another one waits, promised, for its turn.
  std::size_t snapshots_at_once = 7;
};

// What the member holds when it starts (Storage::recover).
struct ZabStart {
  BirthId birth;
  Epoch accepted;
  Epoch current;
  bool in_doubt = false;
  Zxid snapshot;  // Zxid{}: none
  std::vector<Entry> log;
  Zxid commit;
};

using PersistId = StrongId<struct PersistIdTag>;

// --- events
struct LinkUp {
  MemberId peer;
};
struct LinkDown {
  MemberId peer;
};
struct Received {
  MemberId from;
  Envelope envelope;
};
struct Persisted {
  PersistId id;
};
struct Tick {};
struct Propose {  // leading() only; the transactions take next_zxid() and those after it
  std::vector<std::shared_ptr<const Bytes>> txns;
};
struct ConfirmQuorum {};  // leading() only; QuorumConfirmed follows
struct HandOver {};
struct SnapshotTaken {  // the receiver has all of what a SendSnapshot asked for
  MemberId to;
  std::uint64_t run = 0;
};
struct StandAside {  // neither leads, votes nor follows until the reason is gone (empty)
  std::string reason;
};
using Event = std::variant<LinkUp, LinkDown, Received, Persisted, Tick, Propose, ConfirmQuorum,
                           HandOver, SnapshotTaken, StandAside>;

// --- effects
struct Send {
  MemberId to;
  Envelope envelope;
};
struct SendSnapshot {  // of the registry as it is now; SnapshotTaken follows, or the link's end
  MemberId to;
  std::uint64_t run = 0;
};
struct AppendLog {
  PersistId id;
  std::vector<Entry> entries;
  Zxid commit;
  Zxid acknowledged;
};
struct SaveEpochs {
  PersistId id;
  BirthId birth;
  Epoch accepted;
  Epoch current;
};
struct SwitchHistory {
  PersistId id;
  std::optional<SnapshotData> snapshot;
  Zxid keep_until;
  std::vector<Entry> entries;
  Zxid commit;
  BirthId birth;
  Epoch accepted;
  Epoch current;
};
struct InstallSnapshot {  // the one switched in is durable: the registry becomes it
  SnapshotData snapshot;
};
struct Deliver {  // committed, and durable here (D1)
  std::vector<Entry> entries;
};
struct CloseLink {
  MemberId peer;
  std::string reason;
};
struct ReignBegan {  // this member serves under (or as) that leader
  MemberId leader;
  Epoch epoch;
  std::uint64_t run = 0;
};
struct ReignEnded {
  std::string reason;
};
struct QuorumConfirmed {
  std::uint64_t round = 0;
};
enum class Weight { kDebug, kInfo, kWarn, kError };
struct Say {
  Weight weight = Weight::kInfo;
  std::string message;
};

using Effect =
    std::variant<Send, SendSnapshot, AppendLog, SaveEpochs, SwitchHistory, InstallSnapshot, Deliver,
                 CloseLink, ReignBegan, ReignEnded, QuorumConfirmed, Say>;
using Effects = std::vector<Effect>;

}  // namespace ringside::coord
