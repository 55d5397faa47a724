// Good path: read, parse, begin an exchange, its end, next request; idle until the next.
// Failure paths: a message that is refused (own answer, half-close, linger); the caller ends inside
// a message or breaks the connection (the exchange is abandoned); head, idle or linger time is up;
// the caller reads too slowly (Exchange stops reading from upstream) or sends too fast (pause).
#include "sidecar/proxy/downstream.h"

#include <array>
#include <utility>

#include "sidecar/http/writer.h"
#include "sidecar/proxy/answers.h"

namespace ringside::proxy {

Downstream::Downstream(WorkerContext& context, DownstreamOwner& owner,
                       std::shared_ptr<const Entrance> entrance, std::string peer_ip)
    : context_(context),
      owner_(owner),
      entrance_(std::move(entrance)),
      peer_ip_(std::move(peer_ip)),
      parser_(context.limits),
      exchange_(context, *this) {}

Downstream::~Downstream() = default;

void Downstream::start(std::unique_ptr<net::TcpStream> stream) {
  stream_ = std::move(stream);
  since_ = context_.loop.coarse_now();
  stream_->read_start();
  rearm();
}

void Downstream::on_read(std::span<const char> bytes) {
  if (state_ == State::kLingering) {
    lingered_ += bytes.size();
    if (lingered_ > kLingerBytes) {
      close();
    }
    return;
  }
  if (exchange_.running() && !message_open_) {
    stash(bytes);
    return;
  }
  process(bytes);
}

void Downstream::stash(std::span<const char> bytes) {
  stash_.append(bytes.data(), bytes.size());
  if (stash_.size() >= kStashBytes) {
    pause();
  }
}

void Downstream::process(std::span<const char> input) {
  processing_ = true;
  bool more = true;
  while (more && state_ == State::kOpen) {
    // A head of which a part was read is served even when the proxy stops meanwhile.
    if (!message_open_ && parser_.idle() && (exchange_.running() || closing_)) {
      if (closing_) {
        unread_ = unread_ || !input.empty();
      } else {
        stash(input);
      }
      break;
    }
    const bool was_idle = parser_.idle();
    const http::Step step = parser_.next(input);
    input = input.subspan(step.consumed);
    switch (step.kind) {
      case http::Step::Kind::kNeedMore:
        if (was_idle && !parser_.idle()) {
          since_ = context_.loop.coarse_now();
        }
        more = false;
        break;
      case http::Step::Kind::kHead:
        message_open_ = true;
        exchange_.begin();
        break;
      case http::Step::Kind::kBody: exchange_.on_body(step.body); break;
      case http::Step::Kind::kEnd:
        message_open_ = false;
        exchange_.on_end();
        break;
      case http::Step::Kind::kError:
        on_parse_error(parser_.error());
        more = false;
        break;
    }
  }
  processing_ = false;
  exchange_.flush_request();
  if (state_ == State::kOpen && closing_ && !exchange_.running()) {
    finish_writing();
  }
  rearm();
}

// Called when no exchange runs and the last message was read to its end.
void Downstream::next_request() {
  if (stash_.empty()) {
    return;
  }
  std::string input;
  input.swap(stash_);
  process(input);
}

void Downstream::exchange_done(bool keep) {
  since_ = context_.loop.coarse_now();
  if (state_ == State::kClosed) {
    return;
  }
  closing_ = closing_ || !keep || context_.stopping;
  if (processing_) {
    return;  // process() goes on
  }
  if (closing_) {
    finish_writing();
    return;
  }
  resume();
  next_request();
  if (state_ == State::kOpen && ended_ && !exchange_.running()) {
    finish_writing();
    return;
  }
  rearm();
}

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
  const bool unread = message_open_ || unread_ || !stash_.empty();
  if (stream_->pending_bytes() == 0 && (ended_ || !unread)) {
    close();
    return;
  }
  state_ = State::kLingering;
  since_ = context_.loop.coarse_now();
  std::string().swap(stash_);
  stream_->shutdown();
  stream_->read_start();
  rearm();
}

void Downstream::on_parse_error(const http::ParseError& error) {
  if (exchange_.running()) {
    closing_ = true;
    exchange_.on_bad_body(error);
    return;
  }
  refuse(
      error.cause == http::Cause::kHeadersTooLarge ? Cause::kHeadersTooLarge : Cause::kBadRequest,
      http::to_string(error.reason));
}

// What the parser does not take: answered by us, then closed (never guessing where the next message
// begins).
void Downstream::refuse(Cause cause, std::string_view detail) {
  closing_ = true;
  message_open_ = true;  // bytes of it may still come
  context_.scratch.clear();
  AnswerText text;
  text.cause = cause;
  text.detail = detail;
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
  http::write_own_response({.status = status_of(cause),
                            .fields = std::span(fields).first(count),
                            .body = context_.scratch,
                            .connection = http::ConnectionOption::kClose},
                           context_.to_downstream.text());
  if (flush() == net::WriteResult::kBroken) {
    close();
  }
}

metrics::UpstreamStats& Downstream::stats_of(std::string_view upstream) {
  // A connection calls mostly one upstream; this saves it the look-up.
  if (stats_ == nullptr || stats_name_ != upstream) {
    stats_ = &context_.metrics.upstream(upstream);
    stats_name_ = upstream;
  }
  return *stats_;
}

metrics::UpstreamStats* Downstream::unknown_stats() {
  return &context_.metrics.upstream(metrics::kUnknownUpstream);
}

net::WriteResult Downstream::flush() {
  return context_.to_downstream.flush(*stream_);
}

std::size_t Downstream::pending_bytes() const {
  return stream_->pending_bytes();
}

void Downstream::pause() {
  if (state_ == State::kOpen) {
    stream_->read_stop();
  }
}

void Downstream::resume() {
  if (state_ == State::kOpen && !ended_ && stash_.size() < kStashBytes) {
    stream_->read_start();
  }
}

void Downstream::close() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  exchange_.abandon();
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
  return !exchange_.running() && !message_open_ && parser_.idle();
}

void Downstream::on_eof() {
  ended_ = true;
  if (state_ == State::kLingering) {
    if (stream_->pending_bytes() == 0) {
      close();
    }
    return;
  }
  if (exchange_.running() && !message_open_) {
    return;  // half-closed behind a complete request: it gets its response
  }
  close();
}

void Downstream::on_broken(const Error&) {
  close();
}

void Downstream::on_drained() {
  if (state_ == State::kLingering) {
    if (ended_) {
      close();
    }
    return;
  }
  if (exchange_.running()) {
    exchange_.on_downstream_drained();
    rearm();
  }
}

Instant Downstream::due() const {
  if (state_ == State::kLingering) {
    return since_ + kLingerTime;
  }
  if (exchange_.running()) {
    return exchange_.due();
  }
  if (!waiting_for_request()) {
    return since_ + kHeadTime;
  }
  const milliseconds idle = context_.settings->defaults.timeouts.idle;
  return idle.count() == 0 ? kNever : since_ + idle;
}

void Downstream::rearm() {
  if (state_ != State::kClosed) {
    context_.arm(*this, due());
  }
}

void Downstream::on_deadline(Instant now) {
  if (due() <= now) {
    if (state_ == State::kLingering) {
      close();
    } else if (exchange_.running()) {
      exchange_.on_deadline(now);
    } else if (waiting_for_request()) {
      stop();
    } else {
      refuse(Cause::kBadRequest, "the request's head was not complete within 30 s");
      finish_writing();
    }
  }
  rearm();
}

}  // namespace ringside::proxy
