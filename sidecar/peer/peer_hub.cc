#include "sidecar/peer/peer_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ringside::peer {

namespace {

std::string name_of(coord::MemberId id) {
  return fmt::format("member {}", id.value);
}

}  // namespace

PeerHub::PeerHub(net::Loop& loop, PeerHandler& handler, config::Address listen,
                 std::vector<config::Voter> voters, std::size_t max_observers)
    : loop_(loop),
      handler_(handler),
      listen_(std::move(listen)),
      voters_(std::move(voters)),
      max_observers_(max_observers),
      timer_(loop, [this] { on_due(); }),
      turn_end_(loop,
                [this] {
                  flush();
                  arm();
                }),
      undertaker_(loop, [this] { graveyard_.clear(); }) {}

PeerHub::~PeerHub() = default;

Status PeerHub::start(coord::MemberId self) {
  self_ = self;
  auto listener = net::TcpListener::open(
      loop_, listen_,
      {[this](net::Socket socket, const net::SocketAddress& remote) {
         accept(std::move(socket), remote);
       },
       [this](const Error& why) {
         handler_.peer_log(coord::LogSeverity::kWarn, "ring port: " + why.message);
       }});
  if (!listener) {
    return fail(listener.error().code, listener.error().message + " for the ring (ring.listen)");
  }
  listener_ = std::move(*listener);
  make_dials();
  arm();
  return {};
}

void PeerHub::make_dials() {
  dials_.clear();
  for (const auto& voter : voters_) {
    if (coord::MemberId{voter.id} < self_) {
      Dial dial;
      dial.voter = voter;
      dials_.emplace(coord::MemberId{voter.id}, std::move(dial));
    }
  }
}

void PeerHub::rename(coord::MemberId self) {
  close_all();
  self_ = self;
  make_dials();
}

void PeerHub::stop() {
  listener_.reset();
  dials_.clear();
  close_all();
  arm();
}

void PeerHub::close_all() {
  for (auto& link : greeting_) {
    link->close();
    bury(std::move(link));
  }
  greeting_.clear();
  for (auto& [id, link] : links_) {
    link->close();
    bury(std::move(link));
  }
  links_.clear();
}

std::uint16_t PeerHub::port() const {
  return listener_ ? listener_->port() : 0;
}

void PeerHub::send(coord::MemberId to, std::shared_ptr<const Bytes> frame) {
  const auto found = links_.find(to);
  if (found == links_.end()) {
    return;
  }
  if (!found->second->gathering()) {
    to_flush_.push_back(to);
  }
  found->second->send(*frame);
  some_stuck_ = some_stuck_ || found->second->stuck();
}

void PeerHub::flush() {
  for (const coord::MemberId id : std::exchange(to_flush_, {})) {
    if (const auto found = links_.find(id); found != links_.end()) {
      found->second->flush();
    }
  }
}

void PeerHub::close(coord::MemberId peer, const std::string& reason) {
  const auto found = links_.find(peer);
  if (found == links_.end()) {
    return;
  }
  PeerLink& link = *found->second;
  link.close();
  link_ended(link, reason);
}

void PeerHub::accept(net::Socket socket, const net::SocketAddress& remote) {
  make_room();
  auto link = std::make_unique<PeerLink>(*this, remote.to_string(), loop_.now() + kHandshakeTime);
  auto stream = net::TcpStream::adopt(loop_, std::move(socket), link->handler());
  PeerLink& opened = *link;
  greeting_.push_back(std::move(link));
  opened.open(std::move(stream), handler_.handshake());
}

bool PeerHub::full_of_observers() const {
  const auto observers = std::count_if(
      links_.begin(), links_.end(), [](const auto& link) { return !link.second->peer()->voter; });
  return static_cast<std::size_t>(observers) >= max_observers_;
}

// The oldest that came to us: those that we dialled are members.
void PeerHub::make_room() {
  if (greeting_.size() < kMaxGreeting) {
    return;
  }
  const auto oldest = std::find_if(greeting_.begin(), greeting_.end(),
                                   [this](const auto& link) { return dial_of(*link) == nullptr; });
  if (oldest != greeting_.end()) {
    PeerLink& link = **oldest;
    link.close();
    link_ended(link, "too many at once, and it had not greeted yet");
  }
}

void PeerHub::tell_refusal(const std::string& what) {
  if (refusals_ == 0) {
    refusals_since_ = loop_.now();
  }
  if (++refusals_ <= kRefusalsTold) {
    handler_.peer_log(coord::LogSeverity::kWarn, what);
  }
}

void PeerHub::end_refusals_window() {
  if (refusals_ == 0 || loop_.now() - refusals_since_ < kRefusalsWindow) {
    return;
  }
  if (refusals_ > kRefusalsTold) {
    handler_.peer_log(coord::LogSeverity::kWarn,
                      fmt::format("refused {} more connections on the ring port within {} s",
                                  refusals_ - kRefusalsTold, kRefusalsWindow.count()));
  }
  refusals_ = 0;
}

void PeerHub::dial(Dial& dial) {
  dial.connect = std::make_unique<net::TcpConnect>(
      loop_, dial.voter.address, kConnectTime,
      [this, &dial](Result<std::unique_ptr<net::TcpStream>> stream) {
        dialled(dial, std::move(stream));
      });
}

void PeerHub::dialled(Dial& dial, Result<std::unique_ptr<net::TcpStream>> stream) {
  const auto spent = std::move(dial.connect);
  if (!stream) {
    return redial_later(dial, stream.error().message, false);
  }
  auto link = std::make_unique<PeerLink>(*this, dial.voter.address.to_string(),
                                         loop_.now() + kHandshakeTime);
  PeerLink& opened = *link;
  dial.link = &opened;
  greeting_.push_back(std::move(link));
  opened.open(std::move(*stream), handler_.handshake());
}

void PeerHub::redial_later(Dial& dial, const std::string& problem, bool was_up) {
  const Instant now = loop_.now();
  const bool stood = dial.since != Instant{} && now - dial.since >= kLastPause;
  if (stood) {
    dial.pause = {};
    dial.last_problem.clear();
  }
  dial.pause = std::clamp<Duration>(dial.pause * 2, kFirstPause, kLastPause);
  dial.next = now + dial.pause;
  dial.since = {};
  if (!was_up && problem != dial.last_problem) {
    dial.last_problem = problem;
    handler_.peer_log(coord::LogSeverity::kInfo,
                      fmt::format("no link to member {} at {}: {}", dial.voter.id,
                                  dial.voter.address.to_string(), problem));
  }
}

bool PeerHub::waits(coord::MemberId id, const Dial& dial) const {
  return !dial.connect && dial.link == nullptr && !links_.contains(id);
}

Instant PeerHub::due() const {
  if (!listener_) {
    return kNever;  // not started, or stopped
  }
  Instant first = some_stuck_ ? Instant{} : kNever;
  for (const auto& [id, dial] : dials_) {
    if (waits(id, dial)) {
      first = std::min(first, dial.next);
    }
  }
  for (const auto& link : greeting_) {
    first = std::min(first, link->handshake_deadline());
  }
  return refusals_ == 0 ? first : std::min<Instant>(first, refusals_since_ + kRefusalsWindow);
}

// At the end of each turn, whatever happened in it. An idle hub has no timer.
void PeerHub::arm() {
  const Instant first = due();
  if (first == armed_) {
    return;
  }
  armed_ = first;
  if (first == kNever) {
    timer_.stop();
  } else {
    timer_.start(std::max(first - loop_.now(), Duration::zero()));
  }
}

void PeerHub::on_due() {
  armed_ = kNever;
  const Instant now = loop_.now();
  for (auto& [id, dial] : dials_) {
    if (waits(id, dial) && now >= dial.next) {
      this->dial(dial);
    }
  }
  end_bad_links(now);
}

void PeerHub::end_bad_links(Instant now) {
  some_stuck_ = false;
  std::vector<std::pair<PeerLink*, const char*>> bad;
  for (const auto& link : greeting_) {
    if (now >= link->handshake_deadline()) {
      bad.emplace_back(link.get(), "no handshake in time");
    }
  }
  for (const auto& [id, link] : links_) {
    if (link->stuck()) {
      bad.emplace_back(link.get(), "it does not read what we send");
    }
  }
  for (const auto& [link, reason] : bad) {
    if (!link->closed()) {  // what the handler did about the one before may have closed it (it
                            // stays valid: bury())
      link->close();
      link_ended(*link, reason);
    }
  }
  end_refusals_window();
}

Status PeerHub::link_greeted(PeerLink& link, const coord::Handshake& theirs) {
  const Dial* ours = dial_of(link);
  if (ours != nullptr && theirs.id.value != ours->voter.id) {
    return fail(ErrorCode::kRefused,
                fmt::format("it says it is member {}, not {}", theirs.id.value, ours->voter.id));
  }
  if (theirs.id == self_) {
    return fail(ErrorCode::kRefused, fmt::format("it has our own id {}", self_.value));
  }
  if (ours == nullptr && dials_.contains(theirs.id)) {
    return fail(ErrorCode::kRefused, "it is this member that dials it");
  }
  if (Status accepted = handler_.accept_peer(theirs); !accepted) {
    return accepted;
  }
  const auto old = links_.find(theirs.id);
  if (old == links_.end() && !theirs.voter && full_of_observers()) {
    return fail(ErrorCode::kRefused,
                fmt::format("{} observers have a link already", max_observers_));
  }
  if (old != links_.end()) {
    old->second->close();
    link_ended(*old->second, "it opened a new connection");
    if (link.closed()) {  // what the handler did about the old link ended all links
      return {};
    }
  }
  links_[theirs.id] = take_out(link);
  if (Dial* dial = dial_of(link)) {
    dial->since = loop_.now();
  }
  handler_.link_up(theirs);
  return {};
}

Status PeerHub::link_frame(PeerLink& link, ByteView payload) {
  return handler_.frame(link.peer()->id, payload);
}

void PeerHub::link_ended(PeerLink& link, const std::string& reason) {
  Dial* dial = dial_of(link);
  const bool was_up =
      link.peer() && links_.contains(link.peer()->id) && links_[link.peer()->id].get() == &link;
  const auto id = link.peer() ? link.peer()->id : coord::MemberId{};
  const std::string who = id ? name_of(id) : "a stranger";
  bury(take_out(link));
  if (dial != nullptr) {
    dial->link = nullptr;
    redial_later(*dial, reason, was_up);
  }
  if (was_up) {
    handler_.peer_log(coord::LogSeverity::kInfo, fmt::format("link to {} ended: {}", who, reason));
    handler_.link_down(id);
  } else if (dial == nullptr) {
    tell_refusal(
        fmt::format("refused {} from {} on the ring port: {}", who, link.remote(), reason));
  }
}

std::unique_ptr<PeerLink> PeerHub::take_out(PeerLink& link) {
  const auto greeting = std::find_if(greeting_.begin(), greeting_.end(),
                                     [&](const auto& g) { return g.get() == &link; });
  if (greeting != greeting_.end()) {
    auto taken = std::move(*greeting);
    greeting_.erase(greeting);
    return taken;
  }
  for (auto it = links_.begin(); it != links_.end(); ++it) {
    if (it->second.get() == &link) {
      auto taken = std::move(it->second);
      links_.erase(it);
      return taken;
    }
  }
  return nullptr;
}

void PeerHub::bury(std::unique_ptr<PeerLink> link) {
  if (link) {
    graveyard_.push_back(std::move(link));
    undertaker_.start(Duration::zero());
  }
}

PeerHub::Dial* PeerHub::dial_of(const PeerLink& link) {
  for (auto& [id, dial] : dials_) {
    if (dial.link == &link) {
      return &dial;
    }
  }
  return nullptr;
}

}  // namespace ringside::peer
