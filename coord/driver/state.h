// What a Driver is made of; seen inside coord/driver only.
//
// Read in this order: driver.cc (what comes from outside), frames.cc (what comes from other
// members), effects.cc (what the step machines want done), leader.cc (requests and observers of a
// leading member), sessions.cc (its sessions, and what it answers without a transaction),
// snapshots.cc (what is done in slices), status.cc.
//
// One turn: an entry point posts events, run() steps the machine for each and carries its effects
// out before the next, then does what follows from the new state. Nothing below an entry point
// calls another entry point.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/driver.h"
#include "coord/driver/bandwidth.h"
#include "coord/driver/closings.h"
#include "coord/driver/digest_watch.h"
#include "coord/driver/graveyard.h"
#include "coord/driver/link.h"
#include "coord/driver/observer_feed.h"
#include "coord/driver/observing.h"
#include "coord/driver/own_snapshot.h"
#include "coord/driver/requests.h"
#include "coord/driver/snapshot_receiver.h"
#include "coord/driver/snapshot_sender.h"
#include "coord/driver/touches.h"
#include "coord/session_tracker.h"
#include "coord/storage/storage.h"
#include "coord/zab/member.h"

namespace ringside::coord {

// Snapshots of one registry under way at a time: to observers, to followers, and to the own disk.
// The others wait for their turn.
inline constexpr std::size_t kObserverSnapshots = 8;
inline constexpr std::size_t kFollowerSnapshots = kMaxSnapshotCursors - kObserverSnapshots - 1;

struct Driver::State {
  State(DriverOptions settings, DriverPorts& outside, Rng random, Instant start, WallTime wall);

  // --- driver.cc
  Status open_voter(DiskPort& disk, const DiskImage& image);
  void open_observer();
  // First thing in every entry point. False: fenced, do nothing.
  bool enter(Instant time);
  void post(Event event);
  void run();
  void settle_turn();
  void fence(const Error& reason);
  void link_down(MemberId peer);
  [[nodiscard]] bool is_voter(MemberId id) const;
  [[nodiscard]] WallTime wall_time() const;

  // --- frames.cc
  Status receive(MemberId peer, Envelope envelope);
  Status receive_from_observer(MemberId peer, Envelope envelope);
  Status receive_from_voter(MemberId peer, Envelope envelope);
  // Of this member's own client: answered now, led here, or gathered for the leader.
  void ask(RequestId id, Request request);
  void send_gathered_requests();
  Status receive_request(MemberId peer, std::uint64_t run, const ForwardedRequest& request);
  Status receive_requests(MemberId peer, std::uint64_t run, const Message& message);
  void receive_digest(MemberId peer, std::uint64_t run, const Heartbeat& heartbeat);
  void send(MemberId to, Envelope envelope);
  void send_as_it_is(MemberId to, Envelope envelope);

  // --- effects.cc
  void perform(Effects effects);
  void perform(const Send& effect) { send(effect.to, effect.envelope); }
  void perform(const SendSnapshot& effect);
  void perform(const AppendLog& effect);
  void perform(const SaveEpochs& effect);
  void perform(const SwitchHistory& effect);
  void perform(const InstallSnapshot& effect);
  void perform(const Deliver& effect);
  void perform(const CloseLink& effect);
  void perform(const ReignBegan& effect);
  void perform(const ReignEnded& effect);
  void perform(const QuorumConfirmed& effect);
  void perform(const Say& effect);
  bool apply(const Entry& entry);
  void reply(RequestId ring, Reply answer);

  // --- snapshots.cc
  void work_in_slices();
  [[nodiscard]] Instant slices_deadline() const;
  void send_one_chunk();
  Status receive_snapshot_ack(MemberId peer, std::uint64_t run, const SnapshotAck& ack);
  void drop_stale_outgoing();
  [[nodiscard]] Instant stalls_at(const SnapshotSender& sender) const;
  void begin_waiting_feeds();
  // There is one that waits, and it need not wait any more.
  [[nodiscard]] bool observer_may_begin() const;
  [[nodiscard]] std::optional<SnapshotWanted> snapshot_wanted() const;
  Status receive_chunk(MemberId peer, std::uint64_t run, SnapshotChunk chunk);
  void work_on_incoming();
  void tell_incoming();
  void give_up_incoming(const std::string& reason);
  void drop_stale_incoming();
  void bury_incoming();
  [[nodiscard]] bool own_snapshot_due() const;
  void plan_own_snapshot(std::uint64_t last_bytes);
  void begin_own_snapshot_if_due();
  std::unique_ptr<SnapshotCursor> begin_uncommitted_snapshot();
  void write_own_snapshot();
  void give_up_own_snapshot(const std::string& reason);
  void drop_own_snapshot();
  // False: the batch is of no snapshot.
  bool snapshot_disk_done(DiskBatchId id, const Status& status);
  void tend_storage();

  // --- leader.cc
  // False: refused, the outcome is that nothing happened.
  bool lead(MemberId member, std::uint64_t run, RequestId id, Request request);
  // The transaction to be proposed: what gathers in one turn goes out together, first thing in
  // run().
  Txn propose(const Request& request, Origin origin);
  void propose(Zxid zxid, const Txn& txn);
  void propose_gathered();
  [[nodiscard]] Zxid next_zxid() const;  // of the next one to gather
  void begin_reign();
  void end_reign();
  void note_applied(Zxid zxid, const Txn& txn);
  void beat_observers();
  void tell_observers();
  [[nodiscard]] Notification word_to_observers() const;
  [[nodiscard]] bool leads() const { return reign && reign->leader == options.self; }
  // Still in the attachment of that run.
  [[nodiscard]] bool attached(MemberId member, std::uint64_t run) const;

  // --- sessions.cc
  SessionId draw_session_id();
  void note_session(const TxnOp& op, MemberId origin);
  void hear_touches(MemberId member, const std::vector<SessionId>& touches);
  void advance_sessions();
  void expire_sessions();
  // False: there is no step to propose now.
  bool continue_closing();
  [[nodiscard]] bool quorum_is_fresh() const;
  // To the member that asked: its client is answered once `zxid` is applied there.
  void answer(MemberId member, std::uint64_t run, RequestId id, Zxid zxid, Reply answered);
  void answer_confirmed();
  Reply reply_to(const SyncRequest& asked);
  Reply resume(SessionId session, const ResumeSession& resume, MemberId member);
  [[nodiscard]] Reply who_is_behind(Zxid zxid) const;
  // What the data path of a member has adopted by its last word; nullopt: it is not attached.
  [[nodiscard]] std::optional<Zxid> routed_of(MemberId member) const;
  [[nodiscard]] Zxid routed_minimum() const;

  // --- status.cc
  [[nodiscard]] RingStatus status() const;
  [[nodiscard]] std::vector<MemberStatus> members() const;
  [[nodiscard]] MemberStatus member(MemberId id) const;
  [[nodiscard]] Instant quorum_heard_at() const;
  [[nodiscard]] Role own_role() const;
  [[nodiscard]] BirthId birth() const;
  // Zxid up to which reads here are complete.
  [[nodiscard]] Zxid view() const;

  DriverOptions options;
  DriverPorts& ports;
  Rng rng;
  Instant now;
  Instant wall_at;  // `wall` was read then
  WallTime wall;
  bool fenced = false;
  bool starting = true;  // applying what was known before: nobody is told

  std::unique_ptr<Storage> storage;      // of a voter
  std::unique_ptr<Zab> zab;              // of a voter
  std::unique_ptr<Observing> observing;  // of an observer
  std::deque<Event> events;

  std::map<MemberId, Link> links;
  std::deque<std::pair<DiskBatchId, PersistId>> disk_work;

  Registry registry;
  Graveyard graveyard;
  Bandwidth bandwidth;
  std::map<MemberId, SnapshotSender> outgoing;
  MemberId last_sent_to;  // of them
  std::optional<SnapshotReceiver> incoming;
  std::uint64_t last_token = 0;
  std::optional<Registry> uncommitted;  // empty but with the bug ZK-1549 in it (mutant.h)
  std::optional<OwnSnapshot> own_snapshot;
  std::uint64_t own_snapshot_after = 0;   // bytes of log
  std::uint64_t last_snapshot_bytes = 0;  // 0: there is none yet
  Instant own_snapshot_at{};              // not before that, after one that failed
  bool own_first = false;
  std::string short_of_room;
  Watches watches;
  DigestWatch digests;

  std::optional<ReignBegan> reign;
  Requests requests;
  ForwardedRequests to_leader;  // gathered within one call
  std::size_t to_leader_bytes = 0;
  Touches touches;  // to be told to the leader
  Zxid own_routed;
  Instant quorum_seen{};

  // While leading:
  std::unique_ptr<Preparer> preparer;
  SessionTracker sessions;
  Closings closings;
  SyncRounds syncs;
  std::multimap<Zxid, SyncRequest> confirmed;  // answered once this is applied here
  ObserverFeed feed;
  Instant next_feed_beat{};
  std::vector<std::shared_ptr<const Bytes>> gathered;
  std::deque<std::pair<Zxid, Instant>> proposed_at;
  std::vector<std::uint32_t> commit_durations_us;
  std::optional<Notification> told_observers;
};

}  // namespace ringside::coord
