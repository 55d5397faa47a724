#include "tests/sim/member.h"

#include <algorithm>
#include <string>
#include <utility>

namespace ringside::sim {

SimMember::SimMember(EventQueue& queue, Trace& trace, Network& network, MemberObserver& observer,
                     coord::DriverOptions options, bool voter, Rng rng)
    : queue_(queue),
      trace_(trace),
      network_(network),
      observer_(observer),
      options_(std::move(options)),
      voter_(voter),
      rng_(rng),
      disk_(queue, Rng(rng_()), options_.ring_name, options_.self) {
  clock_base_ = Instant(seconds(rng_.between(1, 100'000)));
}

Instant SimMember::local_now() const {
  const auto passed = static_cast<double>((queue_.now() - clock_since_).count()) * clock_rate_;
  return clock_base_ + Duration(static_cast<std::int64_t>(passed));
}

Instant SimMember::global_of(Instant local) const {
  const auto left = static_cast<double>((local - clock_base_).count()) / clock_rate_;
  return clock_since_ + Duration(static_cast<std::int64_t>(left) + 1);
}

WallTime SimMember::wall() const {
  constexpr milliseconds kSomeDay{1'800'000'000'000};
  return WallTime(kSomeDay + std::chrono::duration_cast<milliseconds>(local_now() - clock_base_) +
                  std::chrono::duration_cast<milliseconds>(clock_since_.time_since_epoch()) +
                  wall_offset_);
}

void SimMember::set_clock_rate(double rate) {
  clock_base_ = local_now();
  clock_since_ = queue_.now();
  clock_rate_ = rate;
  timer_at_ = kNever;
  if (up()) {
    plan_timer();
  }
}

void SimMember::start() {
  ++run_;
  next_request_ = 1;
  fenced_ = false;
  timer_at_ = kNever;
  disk_.set_done([this, run = run_](coord::DiskBatchId id, const Status& status) {
    if (run == run_) {
      call([this, id, status] { driver_->on_disk_done(local_now(), id, status); });
    }
  });
  starting_ = true;
  auto driver = coord::Driver::start(options_, *this, voter_ ? &disk_ : nullptr,
                                     voter_ ? disk_.image() : coord::DiskImage{}, Rng(rng_()),
                                     local_now(), wall());
  starting_ = false;
  if (!driver) {
    violate("member {} cannot start: {}", id().value, driver.error().message);
  }
  driver_ = std::move(*driver);
  trace_.say("member {} starts run {} at {}", id().value, run_,
             driver_->registry().applied().to_string());
  observer_.started(*this);
  plan_timer();
}

void SimMember::crash(bool power) {
  if (!up()) {
    return;
  }
  trace_.say("member {} {}", id().value, power ? "loses power" : "is killed");
  ++run_;
  driver_.reset();
  paused_ = false;
  waiting_.clear();
  answers_.clear();
  asked_.clear();
  inlets_.clear();
  watch_rules_ = {};
  listeners_.clear();
  disk_.crash(power);
  network_.member_died(id());
}

void SimMember::pause(Duration how_long) {
  if (!up() || paused_) {
    return;
  }
  trace_.say("member {} pauses", id().value);
  paused_ = true;
  queue_.after(how_long, [this, run = run_] {
    if (run != run_ || !paused_) {
      return;
    }
    trace_.say("member {} resumes", id().value);
    paused_ = false;
    for (auto work = std::exchange(waiting_, {}); !work.empty(); work.pop_front()) {
      if (run == run_) {
        call(std::move(work.front()));
      }
    }
    timer(run);
  });
}

void SimMember::call(std::function<void()> work) {
  if (!up() || fenced_) {
    return;
  }
  if (paused_) {
    waiting_.push_back(std::move(work));
    return;
  }
  do_call(work);
}

void SimMember::do_call(const std::function<void()>& work) {
  in_call_ = true;
  work();
  in_call_ = false;
  if (!fenced_) {
    watch_rules_.all_told("rest");
  }
  observer_.stepped(*this);
  plan_timer();
}

void SimMember::plan_timer() {
  if (fenced_) {
    return;
  }
  const Instant due = driver_->next_deadline();
  if (due == kNever) {
    return;
  }
  const Instant when = std::max(global_of(due), queue_.now());
  if (when >= timer_at_) {
    return;  // an earlier one is on its way and will look again
  }
  timer_at_ = when;
  queue_.at(when, [this, run = run_, when] {
    if (run == run_ && timer_at_ == when) {
      timer(run);
    }
  });
}

void SimMember::timer(std::uint64_t run) {
  timer_at_ = kNever;
  if (run != run_ || fenced_ || paused_) {
    return;
  }
  if (driver_->next_deadline() > local_now()) {
    plan_timer();
    return;
  }
  do_call([this] { driver_->on_time(local_now(), wall()); });
}

void SimMember::submit(coord::Request request, Answer answer) {
  const coord::RequestId id{next_request_++};
  answers_[id] = std::move(answer);
  asked_.emplace_back(id, std::move(request));
  if (asked_.size() > 1) {
    return;
  }
  constexpr microseconds kOneTurn{2000};  // of a busy loop: what comes meanwhile goes with it
  queue_.after(microseconds(rng_.between(0, kOneTurn.count())), [this, run = run_] {
    if (run == run_) {
      call([this] { driver_->submit(local_now(), std::exchange(asked_, {})); });
    }
  });
}

void SimMember::touch(coord::SessionId session) {
  call([this, session] { driver_->touch(local_now(), session); });
}

void SimMember::hand_over() {
  trace_.say("member {} is asked to hand over", id().value);
  call([this] { driver_->hand_over(local_now()); });
}

void SimMember::watch(coord::WatcherId watcher, coord::WatchKind kind, const std::string& path,
                      WatchListener listener) {
  if (driver_->watch(watcher, kind, path)) {
    watch_rules_.added(watcher, kind, path);
    listeners_[watcher] = std::move(listener);
  }
}

void SimMember::unwatch(coord::WatcherId watcher) {
  driver_->unwatch(watcher);
  watch_rules_.removed(watcher);
  listeners_.erase(watcher);
}

void SimMember::link_up(MemberId peer) {
  call([this, peer] {
    inlets_[peer] = Inlet{};
    driver_->on_link_up(local_now(), peer);
  });
}

void SimMember::link_down(MemberId peer) {
  queue_.at(queue_.now(), [this, peer, run = run_] {
    if (run == run_) {
      call([this, peer] { driver_->on_link_down(local_now(), peer); });
    }
  });
}

void SimMember::frame(MemberId peer, std::shared_ptr<const Bytes> bytes, Carriage how) {
  call([this, peer, bytes, how] { take_bytes(peer, *bytes, how); });
}

void SimMember::take_bytes(MemberId peer, ByteView bytes, Carriage how) {
  Inlet& inlet = inlets_[peer];
  inlet.worst = std::max(inlet.worst, how);
  if (inlet.closed) {
    return;
  }
  inlet.frames.feed(bytes);
  Status status;
  while (!inlet.closed && !fenced_ && status) {
    const auto payload = inlet.frames.next();
    if (payload && payload->empty()) {
      return;
    }
    if (payload && inlet.worst == Carriage::kChanged) {
      violate("corruption: member {} takes a frame from {} behind a changed byte", id().value,
              peer.value);
    }
    status = payload ? driver_->on_frame(local_now(), peer, *payload)
                     : Status(std::unexpected(payload.error()));
  }
  if (!status) {
    if (inlet.worst == Carriage::kAsSent) {
      violate("message legality: member {} rejects a frame from {}: {}", id().value, peer.value,
              status.error().message);
    }
    trace_.say("member {} refuses a frame from {}: {}", id().value, peer.value,
               status.error().message);
    inlet.closed = true;
    network_.close(id(), peer);
  }
}

void SimMember::port_used(const char* name) const {
  if (fenced_) {
    violate("D9: member {} is fenced and calls {}", id().value, name);
  }
}

void SimMember::send(MemberId to, std::shared_ptr<const Bytes> frame) {
  port_used("send");
  if (!starting_) {
    observer_.sent(*this, to, ByteView(*frame).subspan(coord::kFrameHeaderBytes));
  }
  network_.send(id(), to, std::move(frame));
}

void SimMember::close_link(MemberId peer, std::string reason) {
  port_used("close_link");
  trace_.say("member {} closes the link to {}: {}", id().value, peer.value, reason);
  Inlet& inlet = inlets_[peer];
  inlet.closed = true;
  // What a member that keeps to the protocol may be closed for.
  constexpr const char* kLegal[] = {"silent", "behind", "fenced"};
  const bool legal = disk_excuses(reason, "cannot keep the snapshot") ||
                     std::ranges::any_of(kLegal, [&](const char* word) {
                       return reason.find(word) != std::string::npos;
                     });
  if (!legal && inlet.worst == Carriage::kAsSent) {
    violate("message legality: member {} closes the link to {}: {}", id().value, peer.value,
            reason);
  }
  network_.close(id(), peer);
}

// False: it is not that excuse. Its disk must have been in trouble.
bool SimMember::disk_excuses(const std::string& reason, const char* excuse) const {
  if (reason.find(excuse) == std::string::npos) {
    return false;
  }
  if (!disk_.snapshot_failed()) {
    violate("disk: member {} says {:?} and its disk is well", id().value, reason);
  }
  return true;
}

void SimMember::reply(coord::RequestId request, coord::Reply reply) {
  port_used("reply");
  watch_rules_.all_told("answer a request");
  auto answer = answers_.extract(request);
  if (answer.empty()) {
    violate("member {} answers request {} twice, or one it never got", id().value, request.value);
  }
  // The client hears of it outside of the driver's call.
  queue_.at(queue_.now(),
            [this, run = run_, heard = std::move(answer.mapped()), reply = std::move(reply)] {
              if (run == run_) {
                heard(reply);
              }
            });
}

void SimMember::applied(coord::Zxid zxid, std::span<const coord::Change> changes) {
  port_used("applied");
  if (!starting_) {  // the replay of a start is judged by where it ends
    observer_.applied(*this, zxid, changes);
    watch_rules_.applied(zxid, changes);
  }
}

void SimMember::reloaded(coord::Zxid zxid) {
  port_used("reloaded");
  if (!starting_) {
    watch_rules_.all_told("take another tree");
    ++reloads_;
    observer_.reloaded(*this, zxid);
  }
}

void SimMember::watch_event(const coord::WatchEvent& event) {
  port_used("watch_event");
  watch_rules_.event(event);
  if (const auto listener = listeners_.find(event.watcher); listener != listeners_.end()) {
    listener->second(event);
  }
}

void SimMember::fenced(const Error& reason) {
  port_used("fenced");
  fenced_ = true;
  trace_.say("member {} is fenced: {}", id().value, reason.message);
  if (!disk_.failed()) {
    violate("member {} is fenced and its disk is well: {}", id().value, reason.message);
  }
  network_.member_died(id());
}

void SimMember::log(coord::LogSeverity severity, std::string message) {
  disk_excuses(message, "no snapshot this time");
  if (trace_.on()) {
    constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
    trace_.say("member {} {}: {}", id().value, kNames[static_cast<int>(severity)], message);
  }
}

}  // namespace ringside::sim
