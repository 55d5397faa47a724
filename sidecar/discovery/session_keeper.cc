#include "sidecar/discovery/session_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ringside::discovery {

namespace {

constexpr Duration kFirstRetry = milliseconds{50};
constexpr Duration kLastRetry = seconds{1};
constexpr int kTouchesPerTimeout = 6;

}  // namespace

SessionKeeper::SessionKeeper(RegistryClient& client, milliseconds timeout, Log log)
    : client_(client), wanted_(timeout), timeout_(timeout), log_(std::move(log)) {}

void SessionKeeper::tick(Instant now) {
  now_ = now;
  if (session_ && client_.session_lives(session_) == false) {
    expired(now, session_);
  }
  if (session_ && !closed_ && now >= touch_at_) {
    client_.touch(session_);
    touch_at_ = now + touch_interval();
  }
  act(now);
}

Duration SessionKeeper::touch_interval() const {
  return timeout_ / kTouchesPerTimeout;
}

void SessionKeeper::expired(Instant now, coord::SessionId session) {
  now_ = now;
  if (!session || session != session_) {
    return;
  }
  log_("the session with the ring has expired");
  retry_at_ = now;
  become({});
  act(now);
}

void SessionKeeper::moved(Instant now, coord::SessionId session) {
  if (session && session == session_) {
    confirmed_ = {};
    act(now);
  }
}

void SessionKeeper::close(Instant now) {
  closing_ = true;
  act(now);
}

void SessionKeeper::act(Instant now) {
  now_ = now;
  if (pending_ || closed_ || now < retry_at_) {
    return;
  }
  if (!session_ && closing_) {
    closed_ = true;
    if (changed_) {
      changed_(now);
    }
  } else if (closing_ && confirmed_ != Contact{}) {
    end();
  } else if (!session_) {
    open();
  } else if (client_.contact().self != opened_.self) {
    log_("this member has another id now: it takes a new session");
    former_ = {session_, std::exchange(secret_, {}), false, kNever};
    become({});
    act(now);
  } else if (client_.contact() != confirmed_) {
    if (client_.in_touch()) {
      resume();
    }
  } else if (former_.session && now >= former_.end_at && client_.in_touch()) {
    end_former();
  }
}

void SessionKeeper::open() {
  pending_ = true;
  const Contact contact = client_.contact();
  client_.submit({{}, coord::CreateSession{wanted_, true}},
                 [this, contact](const coord::Reply& reply) {
                   pending_ = false;
                   if (reply.error != coord::ZkError::kOk) {
                     return failed(reply);
                   }
                   timeout_ = reply.session_timeout;
                   secret_ = reply.secret;
                   opened_ = confirmed_ = contact;
                   touch_at_ = now_;
                   former_.end_at = now_ + timeout_ / kTouchesPerTimeout;
                   become(reply.session);
                   act(now_);
                 });
}

void SessionKeeper::resume() {
  pending_ = true;
  const Contact contact = client_.contact();
  client_.submit({session_, coord::ResumeSession{secret_}},
                 [this, contact, asked = session_](const coord::Reply& reply) {
                   pending_ = false;
                   if (reply.error == coord::ZkError::kSessionExpired) {
                     return expired(now_, asked);
                   }
                   if (reply.error != coord::ZkError::kOk) {
                     return failed(reply);
                   }
                   confirmed_ = contact;
                   detail_.clear();
                   retry_delay_ = {};
                   retry_at_ = {};
                   act(now_);
                 });
}

void SessionKeeper::end() {
  pending_ = true;
  client_.submit({session_, coord::CloseSession{}}, [this](const coord::Reply& reply) {
    pending_ = false;
    // An unknown outcome shows at the next try.
    if (reply.error == coord::ZkError::kSessionMoved) {
      confirmed_ = {};  // ours by its secret: first resumed, then closed
    }
    if (reply.error != coord::ZkError::kOk && reply.error != coord::ZkError::kSessionExpired) {
      return failed(reply);
    }
    become({});
    act(now_);
  });
}

// Resumed first, as only who holds it may close it.
void SessionKeeper::end_former() {
  pending_ = true;
  const coord::Request request =
      former_.resumed ? coord::Request{former_.session, coord::CloseSession{}}
                      : coord::Request{former_.session, coord::ResumeSession{former_.secret}};
  client_.submit(request, [this, closes = former_.resumed,
                           asked = former_.session](const coord::Reply& reply) {
    pending_ = false;
    if (asked != former_.session) {
      return act(now_);
    }
    const bool gone = reply.error == coord::ZkError::kSessionExpired;
    if (gone || (closes && reply.error == coord::ZkError::kOk)) {
      former_ = {};
    } else if (reply.error == coord::ZkError::kOk) {
      former_.resumed = true;
    } else {  // it moved, or the outcome is unknown
      former_.resumed = false;
      former_.end_at = now_ + kLastRetry;
    }
    act(now_);
  });
}

void SessionKeeper::failed(const coord::Reply& reply) {
  retry_delay_ = std::clamp(retry_delay_ * 2, kFirstRetry, kLastRetry);
  retry_at_ = now_ + retry_delay_;
  detail_ = to_string(reply.error);
}

void SessionKeeper::become(coord::SessionId session) {
  session_ = session;
  detail_.clear();
  retry_delay_ = {};
  if (session) {
    retry_at_ = {};
  }
  if (changed_) {
    changed_(now_);
  }
}

}  // namespace ringside::discovery
