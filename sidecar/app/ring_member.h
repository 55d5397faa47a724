// This sidecar's member of the ring at work: the driver with real time, links and disk, and the way
// in for local clients.
//
// Owned by App, on the control loop's thread. It is the driver's ports: what the driver says while
// it runs is queued and acted upon after the call has returned (house rule: callbacks never
// re-enter a pure object). When the driver is fenced (D9, D13) a voter goes on as an observer
// without a disk: the app's way out never depends on the ring's disk.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "config/base/time.h"
#include "config/settings.h"
#include "coord/driver.h"
#include "coord/rebirth.h"
#include "sidecar/app/identity.h"
#include "sidecar/app/pool_job.h"
#include "sidecar/discovery/registry_client.h"
#include "sidecar/disk/data_dir.h"
#include "sidecar/disk/disk_executor.h"
#include "sidecar/net/loop.h"
#include "sidecar/net/timer.h"
#include "sidecar/net/turn_end_task.h"
#include "sidecar/peer/peer_hub.h"

namespace ringside::app {

// What App wants to hear of the ring. Called from RingMember's own turn, never from within one of
// its calls.
class RingListener {
 public:
  virtual ~RingListener() = default;
  virtual void ring_changed(std::span<const coord::Change> changes) = 0;
  virtual void ring_reloaded() = 0;
  // The ring has moved in some way: a good moment for what waits for it. Often; cheap, please.
  virtual void ring_moved() = 0;
  virtual void ring_log(coord::LogSeverity severity, const std::string& message) = 0;
};

class RingMember : public coord::DriverPorts,
                   public discovery::RegistryClient,
                   public peer::PeerHandler {
 public:
  RingMember(net::Loop& loop, const config::Ring& settings, RingListener& listener);
  ~RingMember() override;
  RingMember(const RingMember&) = delete;
  RingMember& operator=(const RingMember&) = delete;

  // Good path: the directory's history is read, the ring port listens, voters are dialled. Errors:
  // the port cannot be bound; the data directory is in use (kRefused). A directory that is unusable
  // otherwise makes a voter an observer, with a log line and a word in status.
  Status start(const config::Service* service);
  // Hands over leadership if it leads; then links and disk are closed and `done` is called.
  void hand_over();
  void stop(std::function<void()> done);

  // `ring recover` (ring_recovery.cc). Why it may not be now; empty: it may.
  [[nodiscard]] std::string recovery_refused() const;
  struct Recovery {
    coord::Rebirth found;
    std::string unfinished;  // done on disk, but why this process does not go by it; empty: it does
  };
  using RecoveryDone = std::function<void(Result<Recovery>)>;
  // What recover() would come to; changes nothing.
  void plan_recovery(RecoveryDone done);
  // Begins the ring anew under a new birth, from what is on this member's disk, with the voters of
  // `fresh`, which must name this member. The result's birth is then the new one.
  void recover(config::Ring fresh, RecoveryDone done);

  // discovery::RegistryClient
  void submit(coord::Request request, ReplyHandler on_reply) override;
  [[nodiscard]] bool in_touch() const override;
  [[nodiscard]] discovery::Contact contact() const override { return contact_; }
  [[nodiscard]] bool has_view() const override;
  void touch(coord::SessionId session) override;
  [[nodiscard]] std::optional<bool> session_lives(coord::SessionId session) const override;
  [[nodiscard]] const coord::Registry& registry() const override;

  [[nodiscard]] const RingIdentity& identity() const { return identity_; }
  [[nodiscard]] coord::RingStatus status() const;
  // status().birth and .applied, cheaply.
  [[nodiscard]] coord::BirthId birth() const { return driver_->birth(); }
  [[nodiscard]] coord::Zxid applied() const { return driver_->applied(); }
  // What the data path has adopted (Driver::set_routed).
  void set_routed(coord::Zxid zxid);
  // As told last: it never goes back while the member is the same.
  [[nodiscard]] coord::Zxid routed() const { return routed_; }
  // A leader with a quorum was heard of since this start, so the registry counts.
  [[nodiscard]] bool ring_has_spoken() const;
  [[nodiscard]] std::vector<std::pair<coord::MemberId, std::string>> addresses() const;
  [[nodiscard]] const std::string& fenced_reason() const { return fenced_reason_; }
  [[nodiscard]] const std::string& data_dir() const { return data_path_; }
  std::vector<std::uint32_t> take_commit_durations_us();

 private:
  // coord::DriverPorts
  void send(coord::MemberId to, std::shared_ptr<const Bytes> frame) override;
  void close_link(coord::MemberId peer, std::string reason) override;
  void reply(coord::RequestId request, coord::Reply reply) override;
  void applied(coord::Zxid zxid, std::span<const coord::Change> changes) override;
  void reloaded(coord::Zxid zxid) override;
  void watch_event(const coord::WatchEvent& event) override;
  void fenced(const Error& reason) override;
  void log(coord::LogSeverity severity, std::string message) override;
  // peer::PeerHandler
  [[nodiscard]] coord::Handshake handshake() const override;
  Status accept_peer(const coord::Handshake& theirs) const override;
  void link_up(const coord::Handshake& peer) override;
  void link_down(coord::MemberId peer) override;
  Status frame(coord::MemberId peer, ByteView payload) override;
  void peer_log(coord::LogSeverity severity, const std::string& message) override;

  Status open_disk(const config::Service* service);
  Status start_driver(const coord::DiskImage& image);
  void become_observer(const std::string& reason);
  coord::MemberId drawn_id();
  // The voters that this ring was born with count before those of the settings.
  void adopt_members();
  void keep_members();
  Result<coord::Rebirth> read_rebirth(const coord::StorageOptions& options,
                                      coord::BirthId fresh) const;
  [[nodiscard]] coord::StorageOptions storage_options() const;
  static std::uint64_t random_birth();
  // Reads the directory beside the disk's own work, until that has left the log alone meanwhile.
  void read_at_rest(int tries, RecoveryDone done);
  void write_recovery(config::Ring fresh, RecoveryDone done);
  // Why it could not; empty: it has begun.
  std::string begin_anew(config::Ring fresh, const RingIdentity& identity,
                         const coord::DiskImage& image);
  // Not to the address of `self`: an observer dials every voter, also one that was a voter.
  Status open_links(coord::MemberId self);
  void drop_waiting();
  void note_contact();
  // Acts upon what the driver said, then re-arms the timer.
  void after_driver();
  // The same at the end of the loop's turn: what clients asked for in it goes out together, and no
  // handler runs within the call that it belongs to.
  void after_this_turn() { owed_ = true; }
  void end_of_turn();

  net::Loop& loop_;
  config::Ring settings_;
  RingListener& listener_;
  RingIdentity identity_;
  std::string data_path_;
  std::unique_ptr<disk::DataDir> data_;
  std::unique_ptr<disk::DiskExecutor> disk_;
  std::unique_ptr<coord::Driver> driver_;
  std::unique_ptr<peer::PeerHub> peers_;
  net::Timer timer_;
  net::TurnEndTask turn_end_;  // before that of peers_: what is answered now is sent in this turn
  bool owed_ = false;
  std::deque<std::function<void()>> later_;
  bool draining_later_ = false;
  std::vector<coord::LocalRequest> asked_;  // in this turn
  std::unordered_map<coord::RequestId, ReplyHandler> waiting_;
  std::unordered_map<coord::MemberId, std::string> addresses_;
  PoolJob pool_;  // of a recovery
  bool recovering_ = false;
  coord::MemberId voted_as_;  // by the settings; whose history the directory holds
  Instant started_{};
  std::uint64_t next_request_ = 0;
  discovery::Contact contact_;
  std::optional<coord::MemberId> led_by_;  // in contact_
  coord::Zxid routed_;                     // as the driver was told
  std::string fenced_reason_;
  bool stopping_ = false;
  bool members_kept_ = false;
};

}  // namespace ringside::app
