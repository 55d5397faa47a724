// How a caller's connection ends, and the times that end it.
// Good path: after its last response it half-closes and reads on, or closes at once when nothing is
// unread. Failure paths: a message that is refused (own answer, half-close, linger); the caller
// ends inside a message or breaks the connection (the exchange is abandoned); head, idle or linger
// time is up. A caller that still takes what was written for it is given more of them.
#include <algorithm>
#include <array>
#include <utility>

#include "sidecar/http/writer.h"
#include "sidecar/proxy/answers.h"
#include "sidecar/proxy/downstream.h"

namespace ringside::proxy {

// The last response is written: closes once it has left, without a reset that would overtake it.
void Downstream::finish_writing() {
  if (state_ != State::kOpen) {
    return;
  }
  if (reset_wanted_) {
    stream_->reset();
    close();
    return;
  }
  // What came and was not read would make the kernel reset the connection, the response with it.
  const bool unread = message_open_ || unread_ || !stash_.empty() || (!ended_ && !stream_->quiet());
  if (stream_->pending_bytes() == 0 && (ended_ || !unread)) {
    close();
    return;
  }
  state_ = State::kLingering;
  since_ = context_.loop.coarse_now();
  progress_.note(*stream_);
  std::string().swap(stash_);
  stream_->shutdown();
  watch();
  rearm();
}

void Downstream::on_parse_error(const http::ParseError& error) {
  if (running()) {
    closing_ = true;
    serving_->exchange.on_bad_body(error);
    return;
  }
  if (message_open_) {
    unread_ = true;  // answered before its body turned bad: one answer is enough
    return;
  }
  refuse(
      error.cause == http::Cause::kHeadersTooLarge ? Cause::kHeadersTooLarge : Cause::kBadRequest,
      http::to_string(error.reason));
}

// What the parser does not take: answered by us, then closed (never guessing where the next message
// begins), and counted by `reason`, which is also what the answer says unless there is a `detail`;
// no reason: it is not the caller's fault.
void Downstream::refuse(Cause cause, std::string_view reason, std::string_view detail) {
  if (!reason.empty()) {
    context_.metrics.bad_requests.add(reason);
  }
  closing_ = true;
  message_open_ = true;  // bytes of it may still come
  context_.scratch.clear();
  AnswerText text;
  text.cause = cause;
  text.detail = detail.empty() ? reason : detail;
  write_answer_body(text, context_.scratch);
  std::array<http::NewField, 4> fields;
  std::size_t count = 0;
  fields[count++] = {"Content-Type", "text/plain; charset=utf-8"};
  fields[count++] = {"x-ringside-error", to_string(cause)};
  if (inbound()) {
    fields[count++] = {"x-ringside-instance", context_.instance};
    fields[count++] = {"x-ringside-unprocessed", "1"};
    context_.metrics.inbound.requests.add(status_of(cause));
  } else {
    unknown_stats()->requests.add(status_of(cause));
    unknown_stats()->errors.add(to_string(cause));
  }
  if (context_.settings->log.access) {
    log_refusal(cause);
  }
  http::write_own_response({.status = status_of(cause),
                            .fields = std::span(fields).first(count),
                            .body = context_.scratch,
                            .connection = http::ConnectionOption::kClose},
                           context_.to_downstream.text());
  if (flush() == net::WriteResult::kBroken) {
    close();
  }
}

// Nothing of the request is known that could be believed.
void Downstream::log_refusal(Cause cause) {
  AccessRecord record;
  record.time = std::chrono::floor<milliseconds>(WallTime::clock::now());  // for people
  record.inbound = inbound();
  record.code = status_of(cause);
  record.cause = to_string(cause);
  context_.access.push(record);
}

void Downstream::turn_away(std::unique_ptr<net::TcpStream> stream) {
  stream_ = std::move(stream);
  if (raw_) {
    stream_->reset();
    close();
    return;
  }
  refuse(Cause::kOverflow, "", "this sidecar serves as many connections as it can");
  finish_writing();
}

void Downstream::close() {
  end(&Exchange::abandon);
}

void Downstream::cut() {
  end(&Exchange::cut);
}

void Downstream::end(void (Exchange::*how)()) {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  if (serving_) {
    (serving_->exchange.*how)();
  }
  context_.arm(*this, kNever);
  stream_.reset();
  owner_.on_downstream_closed(*this);
}

void Downstream::stop() {
  closing_ = true;
  if (state_ == State::kOpen && waiting_for_request()) {
    say_idle_close();
    finish_writing();
  }
}

// A request that crosses this on its way learns that nobody read it (product.md, "Not processed").
void Downstream::say_idle_close() {
  if (!inbound() || ended_) {
    return;
  }
  constexpr std::array<http::NewField, 1> kFields{http::NewField{"x-ringside-unprocessed", "1"}};
  http::OwnResponse response;
  response.status = 408;
  response.fields = kFields;
  response.connection = http::ConnectionOption::kClose;
  http::write_own_response(response, context_.to_downstream.text());
  message_open_ = true;  // such a request may come: read on
  if (flush() == net::WriteResult::kBroken) {
    close();
  }
}

bool Downstream::waiting_for_request() const {
  return !running() && !message_open_ && between_messages();
}

void Downstream::on_eof() {
  ended_ = true;
  if (state_ == State::kLingering) {
    if (stream_->pending_bytes() == 0) {
      close();
    }
    return;
  }
  if (running() && !message_open_) {
    return;  // half-closed behind a complete request: it gets its response
  }
  if (waiting_for_request()) {
    if (stash_.empty()) {
      finish_writing();  // what it has not read yet of the last response first
    }
    return;
  }
  if (running() || message_open_) {
    close();
  } else {
    finish_writing();  // a head that stays a part has no answer; what was asked before it has
  }
}

void Downstream::on_broken(const Error&) {
  close();
}

Instant Downstream::due() const {
  const milliseconds idle = context_.settings->defaults.timeouts.idle;
  const Instant idle_over = idle.count() == 0 ? kNever : since_ + idle;
  if (state_ == State::kLingering) {
    // The linger is for what the caller still sends; first it is to read.
    return pending_bytes() > 0 ? idle_over : since_ + context_.bounds.linger;
  }
  if (running()) {
    const Instant due = serving_->exchange.due();
    return watched_ ? due : std::min(due, since_ + kUnwatched);
  }
  if (!waiting_for_request()) {
    return since_ + context_.bounds.head;
  }
  if (context_.stopping) {
    return since_ + kLastChance;
  }
  return idle_over;
}

void Downstream::rearm() {
  if (state_ == State::kClosed) {
    return;
  }
  if (!watched_ && !needs_no_watch()) {
    watch();
  }
  context_.arm(*this, due());
  if (serving_ && !noted_ && waiting_for_request()) {
    noted_ = true;
    context_.servings.note(*this);
  }
}

void Downstream::rest() {
  noted_ = false;
  if (serving_ && state_ != State::kClosed && waiting_for_request() && serving_->parser.fresh()) {
    context_.servings.give(std::move(serving_));
  }
}

void Downstream::on_deadline(Instant now) {
  if (!watched_ && due() <= now) {
    watch();
  }
  if (due() <= now) {
    if (state_ == State::kLingering) {
      if (caller_reads()) {
        since_ = now;
      } else {
        close();
      }
    } else if (running()) {
      serving_->exchange.on_deadline(now);
    } else if (!waiting_for_request()) {
      refuse(Cause::kBadRequest, "head_timeout", "the request's head was not complete in time");
      finish_writing();
    } else if (caller_reads()) {
      since_ = now;  // of the response before
    } else if (pending_bytes() > 0) {
      stream_->reset();
      close();
    } else {
      stop();
    }
  }
  rearm();
}

}  // namespace ringside::proxy
