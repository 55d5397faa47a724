#include "sidecar/app/ring_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <random>

#include "config/base/check.h"
#include "sidecar/app/kept_identity.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::app {

namespace {

WallTime wall_now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

std::uint64_t random64() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<coord::MemberId> voter_ids(const RingIdentity& identity) {
  std::vector<coord::MemberId> ids;
  for (const auto& voter : identity.voters) {
    ids.emplace_back(voter.id);
  }
  return ids;
}

coord::Reply unavailable() {
  coord::Reply reply;
  reply.error = coord::ZkError::kConnectionLoss;
  return reply;
}

}  // namespace

RingMember::RingMember(net::Loop& loop, const config::Ring& settings, RingListener& listener)
    : loop_(loop),
      settings_(settings),
      listener_(listener),
      timer_(loop,
             [this] {
               if (driver_) {
                 driver_->on_time(loop_.now(), wall_now());
                 after_driver();
               }
             }),
      turn_end_(loop, [this] { end_of_turn(); }),
      pool_(loop) {}

RingMember::~RingMember() = default;

coord::MemberId RingMember::drawn_id() {
  if (data_) {
    if (const auto kept = kept_observer_id(data_->path())) {
      return *kept;
    }
  }
  // 53 bits at most, so that a JSON reader keeps every digit.
  const std::uint64_t id = coord::kMinObserverId + (random64() >> 12U);
  if (data_) {
    const auto saved = keep_observer_id(data_->path(), coord::MemberId{id});
    if (!saved) {
      log(coord::LogSeverity::kWarn, "cannot keep the observer id: " + saved.error().message);
    }
  }
  return coord::MemberId{id};
}

Status RingMember::open_disk(const config::Service* service) {
  const std::string name = service != nullptr ? service->name : "sidecar";
  data_path_ = disk::choose_data_dir(settings_.data_dir, name, environment);
  if (data_path_.empty()) {
    return fail(ErrorCode::kIo, "no data_dir: set ring.data_dir, STATE_DIRECTORY or HOME");
  }
  auto opened = disk::DataDir::open(data_path_);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  data_ = std::make_unique<disk::DataDir>(std::move(*opened));
  return {};
}

void RingMember::adopt_members() {
  const auto kept = data_ && identity_.voter ? kept_voters(data_->path())
                                             : fail(ErrorCode::kNotFound, "no voter's disk");
  if (!kept) {
    if (kept.error().code != ErrorCode::kNotFound) {
      log(coord::LogSeverity::kError,
          "the voters kept on disk are not used: " + kept.error().message);
    }
    return;
  }
  members_kept_ = true;
  if (!same_members(*kept, identity_.voters)) {
    log(coord::LogSeverity::kWarn,
        fmt::format("ring.voters does not name the {} voters that this ring was born with: those "
                    "count, since members cannot "
                    "be changed in this version",
                    kept->size()));
  }
  identity_.voters = committed_voters(*kept, identity_.voters);
}

void RingMember::keep_members() {
  if (members_kept_ || !identity_.voter || !data_ || !driver_ || !driver_->handshake().birth) {
    return;
  }
  members_kept_ = true;
  if (const Status kept = keep_voters(data_->path(), identity_.voters); !kept) {
    log(coord::LogSeverity::kError, "cannot keep the voters of the ring: " + kept.error().message);
  }
}

Status RingMember::start(const config::Service* service) {
  started_ = loop_.now();
  const Status opened = open_disk(service);
  if (!opened && opened.error().code == ErrorCode::kRefused) {
    return opened;
  }
  config::Settings whole;
  whole.ring = settings_;
  const RingIdentity as_configured = identify(whole, coord::MemberId{});
  voted_as_ = as_configured.self;
  identity_ = as_configured.voter ? as_configured : as_observer(as_configured, drawn_id());
  adopt_members();
  if (!opened) {
    listener_.ring_log(coord::LogSeverity::kError, opened.error().message);
    become_observer(opened.error().message);
  } else {
    auto image = data_->read_image();
    const Status started = image ? start_driver(*image) : Status(std::unexpected(image.error()));
    if (!started) {
      become_observer(started.error().message);
    }
  }
  Status listening = open_links(as_configured.self);
  after_driver();
  return listening;
}

Status RingMember::open_links(coord::MemberId self) {
  std::vector<config::Voter> others = identity_.voters;
  std::erase_if(others,
                [&](const config::Voter& voter) { return coord::MemberId{voter.id} == self; });
  peers_ = std::make_unique<peer::PeerHub>(loop_, *this, identity_.listen, std::move(others));
  return peers_->start(identity_.self);
}

coord::StorageOptions RingMember::storage_options() const {
  return {.ring_name = settings_.name, .member = voted_as_};
}

std::uint64_t RingMember::random_birth() {
  return random64() | 1U;  // never 0
}

void RingMember::drop_waiting() {
  asked_.clear();
  for (auto& [id, handler] : std::exchange(waiting_, {})) {
    later_.emplace_back([on_reply = std::move(handler)] { on_reply(unavailable()); });
  }
}

Status RingMember::start_driver(const coord::DiskImage& image) {
  coord::DriverOptions options;
  options.ring_name = settings_.name;
  options.self = identity_.self;
  options.voters = voter_ids(identity_);
  options.heartbeat_interval = settings_.heartbeat_interval;
  options.election_timeout = settings_.election_timeout;
  options.fresh_secret = {random64(), random64()};
  if (identity_.voter) {
    disk_ = std::make_unique<disk::DiskExecutor>(
        loop_.raw(), data_path_, [this](coord::DiskBatchId id, const Status& status) {
          loop_.begin_work();
          if (driver_ && identity_.voter) {  // else: of the voter that this observer was
            driver_->on_disk_done(loop_.now(), id, status);
            after_driver();
          }
        });
  }
  // A voter that became an observer still has the disk, whose last batch may be under way.
  coord::DiskPort* const disk = identity_.voter ? disk_.get() : nullptr;
  auto driver = coord::Driver::start(std::move(options), *this, disk, image, Rng(random64()),
                                     loop_.now(), wall_now());
  if (!driver) {
    return std::unexpected(driver.error());
  }
  driver_ = std::move(*driver);
  routed_ = {};  // this one has been told of nothing
  return {};
}

void RingMember::become_observer(const std::string& reason) {
  if (identity_.voter) {
    fenced_reason_ = reason;
    if (!recovering_) {  // which says what it does
      listener_.ring_log(
          coord::LogSeverity::kError,
          fmt::format("this voter's ring disk is out of use until a restart; it observes: {}",
                      reason));
    }
    identity_ =
        as_observer(identity_, coord::MemberId{coord::kMinObserverId + (random64() >> 12U)});
  }
  driver_.reset();
  drop_waiting();
  const Status started = start_driver({});
  CHECK(started.has_value());  // an observer has nothing on disk that could be wrong
  if (peers_) {
    peers_->rename(identity_.self);
  }
}

void RingMember::after_driver() {
  if (draining_later_) {
    return;
  }
  draining_later_ = true;
  note_contact();
  do {
    while (!later_.empty()) {
      auto task = std::move(later_.front());
      later_.pop_front();
      task();
    }
    listener_.ring_moved();
  } while (!later_.empty());
  draining_later_ = false;
  keep_members();
  if (driver_ && !stopping_) {
    const Instant deadline = driver_->next_deadline();
    if (deadline != kNever) {
      timer_.start(std::max(deadline - loop_.now(), Duration::zero()));
    }
  }
}

void RingMember::end_of_turn() {
  if (!std::exchange(owed_, false)) {
    return;
  }
  if (!asked_.empty() && driver_) {
    driver_->submit(loop_.now(), std::exchange(asked_, {}));
  }
  after_driver();
  if (owed_) {  // a handler asked for more: in the next turn, so that none can hold up the loop
    timer_.start(Duration::zero());
  }
}

void RingMember::note_contact() {
  const auto leader = driver_ ? driver_->leader() : std::nullopt;
  if (leader != led_by_ || contact_.self != identity_.self) {
    led_by_ = leader;
    contact_ = {identity_.self, contact_.number + 1};
  }
}

void RingMember::set_routed(coord::Zxid zxid) {
  if (driver_ && zxid > routed_) {
    routed_ = zxid;
    driver_->set_routed(loop_.now(), zxid);
  }
}

void RingMember::hand_over() {
  if (driver_) {
    driver_->hand_over(loop_.now());
    after_this_turn();
  }
}

void RingMember::stop(std::function<void()> done) {
  stopping_ = true;
  timer_.stop();
  if (peers_) {
    peers_->stop();
  }
  waiting_.clear();
  asked_.clear();
  pool_.when_idle([this, call = std::move(done)]() mutable {
    if (disk_) {
      disk_->shut_down(std::move(call));
    } else {
      call();
    }
  });
}

void RingMember::submit(coord::Request request, ReplyHandler on_reply) {
  after_this_turn();
  if (!driver_ || stopping_) {
    later_.emplace_back([handler = std::move(on_reply)] { handler(unavailable()); });
    return;
  }
  const coord::RequestId id{++next_request_};
  waiting_.emplace(id, std::move(on_reply));
  asked_.emplace_back(id, std::move(request));
}

void RingMember::touch(coord::SessionId session) {
  if (driver_) {
    driver_->touch(loop_.now(), session);
    after_this_turn();
  }
}

bool RingMember::in_touch() const {
  return driver_ != nullptr && !stopping_ && driver_->leader().has_value();
}

// A voter shows what its own disk has; an observer starts with nothing, and with a tree that does
// not know yet that it is a part.
bool RingMember::has_view() const {
  return driver_ != nullptr && (identity_.voter || registry().scoped());
}

// Before a voter has heard of a leader its tree may be older than the session.
std::optional<bool> RingMember::session_lives(coord::SessionId session) const {
  if (!identity_.voter || !ring_has_spoken() || registry().scoped()) {
    return std::nullopt;
  }
  const auto known = registry().session(session);
  return known.has_value() && !known->closing;
}

const coord::Registry& RingMember::registry() const {
  return driver_->registry();
}

coord::RingStatus RingMember::status() const {
  return driver_->status();
}

bool RingMember::ring_has_spoken() const {
  return driver_->status().quorum_seen != Instant{};
}

std::vector<std::uint32_t> RingMember::take_commit_durations_us() {
  return driver_->take_commit_durations_us();
}

std::vector<std::pair<coord::MemberId, std::string>> RingMember::addresses() const {
  std::vector<std::pair<coord::MemberId, std::string>> all;
  for (const auto& voter : identity_.voters) {
    all.emplace_back(coord::MemberId{voter.id}, voter.address.to_string());
  }
  for (const auto& [id, address] : addresses_) {
    if (id.value >= coord::kMinObserverId) {
      all.emplace_back(id, address);
    }
  }
  if (!identity_.voter) {
    all.emplace_back(identity_.self, identity_.advertise.to_string());
  }
  return all;
}

void RingMember::send(coord::MemberId to, std::shared_ptr<const Bytes> frame) {
  if (peers_) {
    peers_->send(to, std::move(frame));
  }
}

void RingMember::close_link(coord::MemberId peer, std::string reason) {
  later_.emplace_back([this, peer, why = std::move(reason)] { peers_->close(peer, why); });
}

void RingMember::reply(coord::RequestId request, coord::Reply reply) {
  later_.emplace_back([this, request, answer = std::move(reply)] {
    const auto found = waiting_.find(request);
    if (found != waiting_.end()) {
      const ReplyHandler handler = std::move(found->second);
      waiting_.erase(found);
      handler(answer);
    }
  });
}

void RingMember::applied(coord::Zxid /*zxid*/, std::span<const coord::Change> changes) {
  if (!changes.empty()) {
    later_.emplace_back([this, copy = std::vector<coord::Change>(changes.begin(), changes.end())] {
      listener_.ring_changed(copy);
    });
  }
}

void RingMember::reloaded(coord::Zxid /*zxid*/) {
  later_.emplace_back([this] { listener_.ring_reloaded(); });
}

void RingMember::watch_event(
    const coord::WatchEvent& /*event: no watches are set in this version*/) {}

void RingMember::fenced(const Error& reason) {
  later_.emplace_back([this, why = reason.message] { become_observer(why); });
}

void RingMember::log(coord::LogSeverity severity, std::string message) {
  listener_.ring_log(severity, message);
}

coord::Handshake RingMember::handshake() const {
  coord::Handshake mine = driver_->handshake();
  mine.address = identity_.advertise.to_string();
  return mine;
}

Status RingMember::accept_peer(const coord::Handshake& theirs) const {
  return driver_->accept_peer(theirs);
}

void RingMember::link_up(const coord::Handshake& peer) {
  addresses_[peer.id] = peer.address;
  driver_->on_link_up(loop_.now(), peer.id, driver_->agreed_version(peer));
  after_driver();
}

void RingMember::link_down(coord::MemberId peer) {
  if (peer.value >= coord::kMinObserverId) {
    addresses_.erase(peer);
  }
  driver_->on_link_down(loop_.now(), peer);
  after_driver();
}

Status RingMember::frame(coord::MemberId peer, ByteView payload) {
  const Status accepted = driver_->on_frame(loop_.now(), peer, payload);
  after_driver();
  return accepted;
}

void RingMember::peer_log(coord::LogSeverity severity, const std::string& message) {
  listener_.ring_log(severity, message);
}

}  // namespace ringside::app
