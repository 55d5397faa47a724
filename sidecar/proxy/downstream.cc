// Requests of one connection: read, parse, one exchange after the other. How it ends:
// downstream_close.cc.
// Good path: read, parse, begin an exchange, its end, next request; idle until the next. A request
// that is the caller's last by its own word, and here when it is accepted, is answered without the
// loop's knowing of the connection.
// Failure paths: a message that is refused (downstream_close.cc); the caller reads too slowly
// (Exchange stops reading from upstream) or sends too fast (pause).
#include "sidecar/proxy/downstream.h"

#include <fmt/format.h>

#include <utility>

#include "sidecar/http/upgrade.h"

namespace ringside::proxy {

namespace {

bool is_raw(const Entrance& entrance, const config::Settings& settings) {
  return !entrance.upstream.empty() &&
         settings.upstream(entrance.upstream).protocol == config::Protocol::kTcp;
}

}  // namespace

Downstream::Downstream(WorkerContext& context, DownstreamOwner& owner,
                       std::shared_ptr<const Entrance> entrance, std::string peer_ip)
    : context_(context),
      owner_(owner),
      entrance_(std::move(entrance)),
      peer_ip_(std::move(peer_ip)),
      raw_(is_raw(*entrance_, *context.settings)) {}

Downstream::~Downstream() {
  if (noted_) {
    context_.servings.forget(*this);
  }
}

void Downstream::start(std::unique_ptr<net::TcpStream> stream) {
  stream_ = std::move(stream);
  since_ = context_.loop.coarse_now();
  if (raw_) {
    watch();
    process(fmt::format("CONNECT {0}:{1} HTTP/1.1\r\nHost: {0}\r\n\r\n", fixed_upstream(),
                        entrance_->port));
    return;
  }
  // Mostly the request has come with the connection, or right behind it.
  if (const auto bytes = stream_->read_now(); !bytes.empty()) {
    process(bytes);
  } else {
    rearm();
  }
}

void Downstream::watch() {
  watched_ = true;
  stream_->read_start();
}

// The caller has asked for one thing, said that it is the last, and has nothing to send any more:
// all that can come is its end.
bool Downstream::needs_no_watch() const {
  if (!running() || message_open_ || !stash_.empty()) {
    return false;
  }
  const http::RequestHead& request = serving_->parser.head();
  return !request.keep_alive && !request.framing.has_body() && !http::offers_upgrade(request) &&
         request.method != http::Method::kConnect;
}

void Downstream::on_read(std::span<const char> bytes) {
  if (state_ == State::kLingering) {
    lingered_ += bytes.size();
    if (lingered_ > kLingerBytes) {
      close();
    }
    return;
  }
  // Behind what waits already, too, though the caller reads and less is held back for it by now.
  if (!message_open_ && (running() || !stash_.empty())) {
    stash(bytes);
    return;
  }
  process(bytes);
}

void Downstream::on_forwarded(std::size_t bytes, net::WriteResult result) {
  serving_->parser.pass(bytes);
  serving_->exchange.on_forwarded(bytes, result);
  process({});
}

void Downstream::stash(std::span<const char> bytes) {
  stash_.append(bytes.data(), bytes.size());
  if (stash_.size() >= kStashBytes) {
    pause();
  }
}

void Downstream::process(std::span<const char> input) {
  processing_ = true;
  if (!serving_) {
    serving_ = context_.servings.take(*this);
  }
  bool more = true;
  while (more && state_ == State::kOpen) {
    // A head of which a part was read is served even when the proxy stops meanwhile.
    if (!message_open_ && between_messages() && (running() || closing_ || backed_up())) {
      // Behind a running exchange they may be a tunnel's, even when no further request is served.
      if (closing_ && !running()) {
        unread_ = unread_ || !input.empty();
      } else {
        stash(input);
      }
      break;
    }
    const bool was_idle = between_messages();
    const http::Step step = serving_->parser.next(input);
    input = input.subspan(step.consumed);
    if (was_idle && !between_messages()) {
      since_ = context_.loop.coarse_now();
    }
    more = act_on(step);
  }
  processing_ = false;
  serving_->exchange.flush_request();
  serving_->exchange.begin_tunnel_if_due();
  if (state_ == State::kOpen && closing_ && !running()) {
    finish_writing();
  }
  rearm();
}

// False: nothing more can be done with the bytes at hand.
bool Downstream::act_on(const http::Step& step) {
  switch (step.kind) {
    case http::Step::Kind::kNeedMore: return false;
    case http::Step::Kind::kHead:
      message_open_ = true;
      serving_->exchange.begin();
      return true;
    case http::Step::Kind::kBody: serving_->exchange.on_body(step.body); return true;
    case http::Step::Kind::kEnd:
      message_open_ = false;
      serving_->exchange.on_end();
      return true;
    case http::Step::Kind::kError: on_parse_error(serving_->parser.error()); return false;
  }
  return false;
}

// Called when no exchange runs and the last message was read to its end.
void Downstream::next_request() {
  if (stash_.empty() || backed_up()) {
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
    if (keep) {
      say_idle_close();  // the response, begun before the stop, promised more
    }
    finish_writing();
    return;
  }
  go_on();
}

// What waits is served, as far as the caller reads.
void Downstream::go_on() {
  next_request();
  resume();
  if (state_ == State::kOpen && ended_ && stash_.empty()) {
    on_eof();  // it came while bytes waited: what they were part of may never be complete
  }
  rearm();
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

net::WriteResult Downstream::flush(bool last) {
  using Then = net::TcpStream::Then;
  // Only where no reset can follow: what waits for the end in the kernel would go with it.
  const Then then = last && !watched_ && !reset_wanted_ ? Then::kEndFollows : Then::kAnything;
  const auto result = context_.to_downstream.flush(*stream_, then);
  if (result == net::WriteResult::kPending) {
    progress_.note(*stream_);
  }
  return result;
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
  if (state_ == State::kOpen && watched_ && !ended_ && stash_.size() < kStashBytes) {
    stream_->read_start();
  }
}

void Downstream::on_drained() {
  progress_.note(*stream_);
  if (state_ == State::kLingering) {
    if (ended_) {
      close();
      return;
    }
    since_ = context_.loop.coarse_now();
    rearm();
  } else if (running()) {
    serving_->exchange.on_downstream_drained();
    rearm();
  } else {
    since_ = context_.loop.coarse_now();
    go_on();
  }
}

}  // namespace ringside::proxy
