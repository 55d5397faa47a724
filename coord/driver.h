// One member of the ring: Zab step machine, registry, sessions and storage, and the order of their
// effects. Pure: it acts through DriverPorts and DiskPort, and is told of links, frames,
// completions and time. The simulator runs this very class.
//
// Owned by sidecar/app's control loop (or the simulator), on its one thread. No call returns before
// its effects have been handed out in the order send-now, persist, wait for durability,
// send-after-persist, deliver; ports never call back into the driver before they return (they
// enqueue). `now` never goes back.
//
// A member is a voter (its id is in options.voters) or an observer. An observer keeps no disk: its
// storage port may be null.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "config/base/time.h"
#include "coord/codec/handshake.h"
#include "coord/registry/registry.h"
#include "coord/registry/watches.h"
#include "coord/storage/disk_port.h"
#include "coord/zab/types.h"

namespace ringside::coord {

struct DriverOptions {
  std::string ring_name = "default";
  MemberId self;
  std::vector<MemberId> voters;  // 1, 3, 5 or 7 as a rule; any number of at least 1 works
  milliseconds heartbeat_interval{100};
  milliseconds election_timeout{1000};
  milliseconds min_session_timeout{200};
  milliseconds max_session_timeout{600'000};
  // Of log since the snapshot before, at least (more when that one was large).
  std::uint64_t snapshot_after_bytes = 16ULL << 20U;
  // Snapshots: what leaves in a second, to all receivers and the disk together; a piece of one; and
  // nodes that one turn links, or frees, at most.
  std::uint64_t snapshot_bytes_per_second = 64ULL << 20U;
  std::size_t snapshot_chunk_bytes = 256U << 10U;
  std::size_t slice_nodes = 4000;
  std::size_t deliver_entries = 256;                  // transactions that one turn applies at most
  std::size_t keep_entries = 100'000;                 // that a late follower may still get as a log
  std::uint64_t segment_bytes = 16ULL << 20U;         // of one log file, taken ahead
  std::size_t max_outstanding_requests = 10'000;      // local ones; over it kConnectionLoss at once
  std::uint16_t peer_version = kPeerProtocolVersion;  // kPeerProtocolNext in tests
  // Ephemerals that one transaction takes away at the end of a session; less in tests.
  std::size_t close_slice_nodes = kCloseSliceNodes;
  // 128 bits from the machine's own randomness, which nobody can guess; becomes the ring's secret
  // if this member leads a ring without one. None: drawn from `rng`, for tests.
  RingSecret fresh_secret;
};

enum class LogSeverity { kDebug, kInfo, kWarn, kError };

struct LocalRequest {
  RequestId id;
  Request request;
};

class DriverPorts {
 public:
  virtual ~DriverPorts() = default;
  // One whole frame to a member with a link up; dropped when there is none.
  virtual void send(MemberId to, std::shared_ptr<const Bytes> frame) = 0;
  // Ends the link with a reason for the log; on_link_down follows, and the peer room dials again in
  // its own time.
  virtual void close_link(MemberId peer, std::string reason) = 0;
  // Answers a submit(). Exactly one per request.
  virtual void reply(RequestId request, Reply reply) = 0;
  // After each applied transaction (also on an observer), before any reply that shows it.
  virtual void applied(Zxid zxid, std::span<const Change> changes) = 0;
  // The whole tree was replaced (a snapshot was loaded): read it anew.
  virtual void reloaded(Zxid zxid) = 0;
  virtual void watch_event(const WatchEvent& event) = 0;
  // D9, D13: the member is out for good, calls go on by the last view. No port is called after
  // this.
  virtual void fenced(const Error& reason) = 0;
  virtual void log(LogSeverity severity, std::string message) = 0;
};

struct MemberStatus {  // of one voter or observer, as far as this member knows
  MemberId id;
  bool voter = false;
  bool connected = false;
  Role role = Role::kLooking;
  Zxid zxid;
  // On a leader: what its data path has adopted by its last word; nullopt: it is not attached.
  std::optional<Zxid> routed{};
};

struct RingStatus {
  MemberId self;
  BirthId birth;
  Role role = Role::kLooking;
  std::optional<MemberId> leader;  // an established one
  Epoch epoch;                     // current_epoch
  Zxid applied;
  bool quorum = false;    // leading with a quorum heard of, or in touch with a leader that says so
  bool in_doubt = false;  // D16
  std::string waiting_for;    // while looking: why, in a sentence for a person
  std::string short_of_room;  // why this member stands aside; empty: its disk has room
  Instant quorum_seen;        // the view is current as of then: last word of a leader with a quorum
                              // (Instant{}: never)
  std::uint64_t elections = 0;  // entered since start
  std::size_t sessions = 0;
  std::size_t znodes = 0;
  std::size_t watches = 0;
  std::size_t outstanding = 0;
  std::vector<MemberStatus> members;
  // On a leader: the least that a living sidecar has routed (applied, without any).
  std::optional<Zxid> routed_minimum;
};

class Driver {
 public:
  // `disk` null for an observer. `image`: what the data directory holds. Errors: as
  // Storage::recover.
  static Result<std::unique_ptr<Driver>> start(DriverOptions options, DriverPorts& ports,
                                               DiskPort* disk, const DiskImage& image, Rng rng,
                                               Instant now, WallTime wall);
  ~Driver();

  // What this member says of itself when a link opens; the peer room sends it as the first frame
  // and checks the other's (coord/codec/handshake.h) with accept_peer before on_link_up.
  [[nodiscard]] Handshake handshake() const;
  // An error is the reason for which the connection is refused (another ring, another birth, an
  // unknown voter, version).
  Status accept_peer(const Handshake& theirs) const;

  // What the two speak with each other: the lower of their versions.
  [[nodiscard]] std::uint16_t agreed_version(const Handshake& theirs) const;

  void on_link_up(Instant now, MemberId peer, std::uint16_t version = kPeerProtocolVersion);
  void on_link_down(Instant now, MemberId peer);
  // A whole frame. An error: bytes that no member sends; the caller logs it and closes the link.
  Status on_frame(Instant now, MemberId peer, ByteView frame);
  void on_disk_done(Instant now, DiskBatchId id, const Status& status);
  void on_time(Instant now, WallTime wall);
  // When on_time must be called at the latest.
  [[nodiscard]] Instant next_deadline() const;

  // Asks for a write or a sync; the answer comes through DriverPorts::reply, kConnectionLoss when
  // the outcome is unknown.
  void submit(Instant now, RequestId id, Request request);
  // Several, in order: they go to the leader in few frames.
  void submit(Instant now, std::vector<LocalRequest> requests);
  // The session's owner on this member is alive.
  void touch(Instant now, SessionId session);
  // This sidecar's data path has adopted the view of `zxid`: every worker has switched, and nothing
  // picked before is unsent. Goes to the leader with the touches; less than before counts for
  // nothing.
  void set_routed(Instant now, Zxid zxid);
  // Steps down, if leading, in favour of the most advanced follower (a clean stop). Idempotent.
  void hand_over(Instant now);

  bool watch(WatcherId watcher, WatchKind kind, std::string path);
  void unwatch(WatcherId watcher);
  [[nodiscard]] const Registry& registry() const;
  [[nodiscard]] RingStatus status() const;
  // Of status(), without the cost of the rest. While there is no leader, submit() answers at once.
  [[nodiscard]] BirthId birth() const;
  [[nodiscard]] std::optional<MemberId> leader() const;
  [[nodiscard]] Zxid applied() const;
  // Microseconds from proposal to commit of recent transactions, taken and cleared (leader only),
  // at most 4,096.
  std::vector<std::uint32_t> take_commit_durations_us();

 private:
  struct State;
  explicit Driver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringside::coord
