#include "tests/sim/client.h"

#include <utility>

namespace ringside::sim {

using coord::Reply;
using coord::Request;
using coord::ZkError;

namespace {

Bytes bytes_of(const std::string& value) {
  const ByteView view = as_bytes(value);
  return {view.begin(), view.end()};
}

Request write_of(coord::SessionId session, std::vector<coord::WriteOp> ops) {
  return {session, coord::Multi{std::move(ops)}};
}

}  // namespace

Client::Client(ClientWorld& world, std::uint64_t number, Rng rng)
    : world_(world),
      rng_(rng),
      name_(fmt::format("client-{}", number)),
      // Half of them write where observers look.
      home_(number % 2 == 0 ? "/ringside/data/" + name_ : "/data/" + name_),
      rules_(name_),
      watcher_(2 * number + 1),
      all_watcher_(2 * number + 2) {}

void Client::begin() {
  open_session();
  act();
}

std::string Client::fresh_value() {
  return fmt::format("{}:{}", name_, next_value_++);
}

bool Client::attach() {
  if (!find_member()) {
    return false;
  }
  if (session_ && !resumed_ && !resuming_) {
    resume_session();
  }
  return !session_ || resumed_;
}

bool Client::find_member() {
  const bool good = member_ != nullptr && member_->run() == member_run_ && member_->serving() &&
                    member_->view() >= rules_.last_seen();
  if (good && !rng_.chance(0.03)) {
    return true;
  }
  SimMember* const next = world_.any_member(rng_);
  if (next == nullptr || next->view() < rules_.last_seen()) {
    return good;
  }
  if (next != member_ || next->run() != member_run_) {
    forget_watches();
    member_ = next;
    member_run_ = next->run();
    ++attachment_;
    rules_.moved();
    resumed_ = resuming_ = false;
    watch_names();
  }
  return true;
}

void Client::ask(Request request, std::function<void(const Reply&)> answer) {
  ++world_.operations;
  const bool is_write = !std::holds_alternative<coord::Sync>(request.what) &&
                        !std::holds_alternative<coord::ResumeSession>(request.what);
  const std::uint64_t order = next_order_++;
  // Exactly one of answer and silence; silence (the member died) is found out by waiting.
  auto pending = std::make_shared<std::function<void(const Reply&)>>(std::move(answer));
  const auto conclude = [this, pending, order, is_write,
                         attachment = attachment_](const Reply& reply) {
    if (auto hear = std::exchange(*pending, {})) {
      if (attachment == attachment_) {
        heard(order, is_write, reply);
      }
      hear(reply);
    }
  };
  member_->submit(std::move(request), conclude);
  world_.queue.after(seconds(20), [this, pending, attachment = attachment_] {
    if (auto hear = std::exchange(*pending, {})) {
      ++world_.lost;
      Reply silence;
      silence.error = ZkError::kConnectionLoss;
      hear(silence);
    }
  });
}

void Client::heard(std::uint64_t order, bool is_write, const Reply& reply) {
  ++world_.answered;
  world_.trace.say("{} hears {} for request {} at {}", name_, coord::to_string(reply.error), order,
                   reply.zxid.to_string());
  if (reply.error == ZkError::kConnectionLoss) {
    ++world_.lost;
    return;
  }
  if (reply.error == ZkError::kOk && is_write) {
    rules_.acknowledged(order, reply.zxid);
    world_.shared.acknowledged(reply.zxid);
    world_.acknowledged(reply.zxid, *member_);
  }
  if (reply.error == ZkError::kSessionExpired && session_) {
    die();
  }
  if (reply.error == ZkError::kSessionMoved) {  // a new leader took another member for ours
    resumed_ = false;
  }
}

void Client::resume_session() {
  resuming_ = true;
  ask({session_, coord::ResumeSession{secret_}},
      [this, attachment = attachment_, seen = rules_.last_seen()](const Reply& reply) {
        if (attachment == attachment_) {
          session_resumed(reply, seen);
        }
      });
}

void Client::session_resumed(const Reply& reply, coord::Zxid seen_before) {
  resuming_ = false;
  resumed_ = reply.error == ZkError::kOk;
  if (resumed_ && (reply.session != session_ || reply.session_timeout != timeout_ ||
                   reply.secret != secret_ || reply.zxid < seen_before)) {
    violate("sessions: {} resumed {:x} and got another one", name_, session_.value);
  }
}

void Client::open_session() {
  if (opening_ || state_ != State::kOpening || !attach()) {
    return;
  }
  opening_ = true;
  timeout_ = milliseconds(rng_.between(600, 4000));
  ask({{}, coord::CreateSession{timeout_, rng_.chance(0.5)}},
      [this, attachment = attachment_](const Reply& reply) {
        session_opened(reply, attachment == attachment_);
      });
}

void Client::session_opened(const Reply& reply, bool here) {
  opening_ = false;
  if (state_ != State::kOpening || reply.error != ZkError::kOk) {
    return;  // asked for again at the next turn; a session that nobody heard of expires by itself
  }
  session_ = reply.session;
  secret_ = reply.secret;
  resumed_ = here;
  timeout_ = reply.session_timeout;
  state_ = State::kOpen;
  world_.sessions.opened(world_.queue.now(), session_, timeout_);
  touch_on();
  make_ephemeral();
}

void Client::make_ephemeral() {
  if (!attach()) {
    return;
  }
  const bool seen = rng_.chance(0.7);
  const std::string path = fmt::format("{}/{}-{:x}", seen ? "/ringside/services/orders" : "/held",
                                       name_, session_.value);
  std::vector<coord::WriteOp> ops;
  for (std::uint64_t i = 0; i <= session_.value % 6; ++i) {
    ops.emplace_back(coord::Create{i == 0 ? path : fmt::format("{}.{}", path, i), bytes_of(name_),
                                   coord::CreateMode::kEphemeral, true});
  }
  ask(write_of(session_, std::move(ops)), [](const Reply&) {});
}

void Client::touch_on() {
  if (state_ != State::kOpen) {
    return;
  }
  if (attach()) {
    world_.sessions.touched(world_.queue.now(), session_);
    member_->touch(session_);
  }
  world_.queue.after(timeout_ / 4, [this] { touch_on(); });
}

void Client::act() {
  if (state_ == State::kGone) {
    return;
  }
  world_.queue.after(milliseconds(rng_.between(50, 1100)), [this] { act(); });
  if (state_ == State::kOpening) {
    open_session();
    return;
  }
  if (!asking_ || !attach()) {
    return;
  }
  const std::size_t burst = rng_.chance(0.2) ? 3 : 1;
  for (std::size_t i = 0; i < burst; ++i) {
    if (rng_.chance(0.5)) {
      contend();
      continue;
    }
    switch (rng_.below(10)) {
      case 0:
      case 1:
      case 2: write_own_key(); break;
      case 3:
      case 4: write_pair(); break;
      case 5:
      case 6: count_up(); break;
      case 7: take_name(); break;
      case 8: sync(); break;
      default: read_own();
    }
  }
}

void Client::write_own_key(std::function<void(bool)> done) {
  const std::string path = fmt::format("{}/k{}", home_, rng_.below(3));
  const std::string value = fresh_value();
  const bool there = member_->driver().registry().get(path).has_value();
  coord::WriteOp op = coord::SetData{path, bytes_of(value), coord::kAnyVersion};
  if (!there) {
    op = coord::Create{path, bytes_of(value), coord::CreateMode::kPersistent, true};
  }
  rules_.wrote(path, value);
  ask(write_of(session_, {std::move(op)}),
      [this, path, value, done = std::move(done)](const Reply& reply) {
        if (reply.error == ZkError::kOk) {
          rules_.write_done(path, value, reply.zxid);
        } else if (reply.error != ZkError::kConnectionLoss) {
          rules_.write_refused(path, value);
        }
        if (done) {
          done(reply.error == ZkError::kOk);
        }
      });
}

void Client::write_once(std::function<void(bool)> done) {
  if (state_ != State::kOpen || !attach()) {
    done(false);
    return;
  }
  write_own_key(std::move(done));
}

// Two nodes that only ever change together.
void Client::write_pair() {
  const std::string a = home_ + "/pair-a";
  const std::string b = home_ + "/pair-b";
  const std::string value = fresh_value();
  std::vector<coord::WriteOp> ops;
  if (member_->driver().registry().get(a).has_value()) {
    ops.emplace_back(coord::SetData{a, bytes_of(value), coord::kAnyVersion});
    ops.emplace_back(coord::SetData{b, bytes_of(value), coord::kAnyVersion});
  } else {
    ops.emplace_back(coord::Create{a, bytes_of(value), coord::CreateMode::kPersistent, true});
    ops.emplace_back(coord::Create{b, bytes_of(value), coord::CreateMode::kPersistent, true});
  }
  ask(write_of(session_, std::move(ops)), [](const Reply&) {});
}

void Client::expect_pair() {
  const auto& registry = member_->driver().registry();
  const auto a = registry.get(home_ + "/pair-a");
  const auto b = registry.get(home_ + "/pair-b");
  if (a.has_value() != b.has_value() ||
      (a && (a->data != b->data || a->stat.mzxid != b->stat.mzxid))) {
    violate("one step: {} sees half of a multi", name_);
  }
}

void Client::count_up() {
  const std::string path = fmt::format("/shared/count-{}", rng_.below(3));
  const auto node = member_->driver().registry().get(path);
  if (!node) {
    ask(write_of(session_, {coord::Create{path, {}, coord::CreateMode::kPersistent, true}}),
        [](const Reply&) {});
    return;
  }
  const std::int32_t expected = node->stat.version;
  ask(write_of(session_, {coord::SetData{path, bytes_of(fresh_value()), expected}}),
      [this, path, expected](const Reply& reply) {
        if (reply.error == ZkError::kOk) {
          world_.shared.compared_and_set(path, expected);
        }
      });
}

void Client::take_name() {
  ask(write_of(session_,
               {coord::Create{
                   "/ringside/names/n-", {}, coord::CreateMode::kPersistentSequential, true}}),
      [this](const Reply& reply) {
        if (reply.error == ZkError::kOk) {
          world_.shared.named(reply.results.at(0).path);
        }
      });
}

void Client::sync() {
  const coord::Zxid newest = world_.shared.newest();
  SimMember* const member = member_;
  ask({session_, coord::Sync{}}, [newest, member, run = member_run_](const Reply& reply) {
    if (reply.error == ZkError::kOk && member->run() == run) {
      SharedRules::synced(newest, member->view());
    }
  });
}

void Client::read_own() {
  for (int i = 0; i < 3; ++i) {
    read_key(fmt::format("{}/k{}", home_, i));
  }
  expect_pair();
}

void Client::read_key(const std::string& key) {
  // An observer answers for its scope only.
  if (!member_->voter() && !key.starts_with(coord::kObserverScope)) {
    return;
  }
  if (const auto node = look_at(key)) {
    rules_.read(key, node->data, node->modified, member_->view());
  } else {
    rules_.read_nothing(key, member_->view());
  }
}

void Client::close_session() {
  if (state_ != State::kOpen || !attach()) {
    die();
    return;
  }
  state_ = State::kGone;
  world_.sessions.closing(session_);
  world_.sessions.owner_died(world_.queue.now(), session_);
  world_.trace.say("{} closes its session {:x}", name_, session_.value);
  ask({session_, coord::CloseSession{}}, [](const Reply&) {});
}

void Client::die() {
  if (state_ == State::kOpen) {
    world_.sessions.owner_died(world_.queue.now(), session_);
    world_.trace.say("{} dies, its session {:x} is left", name_, session_.value);
  }
  state_ = State::kGone;
}

}  // namespace ringside::sim
