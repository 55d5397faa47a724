// Good path: begin, on_read: head, body, end; or a head that begins a tunnel. Failure paths: the
// end or an error before a byte (reset, not answered), inside the response (reset), bytes that are
// no response (bad_response); anything at all while idle (the pool drops it).
#include "sidecar/proxy/upstream_connection.h"

#include <utility>

#include "sidecar/proxy/pool.h"

namespace ringside::proxy {

namespace {

// A first read takes no more than this where much is to be forwarded, or nothing is known.
constexpr std::size_t kShortRead = 16 * 1024;
constexpr std::uint64_t kLargeBody = 48 * 1024;

bool is_large(const http::Framing& framing) {
  return framing.kind == http::Framing::Kind::kLength && framing.length >= kLargeBody;
}

}  // namespace

UpstreamConnection::UpstreamConnection(HostPool& pool, std::unique_ptr<net::TcpStream> stream,
                                       const http::Limits& limits)
    : pool_(pool), stream_(std::move(stream)), parser_(limits) {
  stream_->set_handler(*this);
  stream_->read_start();
}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::begin(UpstreamUser& user, http::Method method, bool upgrade) {
  user_ = &user;
  answered_ = false;
  memory_kept_ = true;
  ++exchanges_;
  if (terms_.max && *terms_.max > 0) {
    --*terms_.max;
  }
  parser_.expect(method, upgrade);
  stream_->read_at_most(short_first_ ? kShortRead : net::Loop::kReadBytes);
}

void UpstreamConnection::detach() {
  user_ = nullptr;
  if (stream_ != nullptr) {
    stream_->forward_stop();
  }
}

void UpstreamConnection::rest() {
  detach();
  idle_before = {};
  short_first_ = is_large(parser_.head().framing);
  if (parser_.head().has(http::FieldId::kKeepAlive)) {
    terms_ = http::read_keep_alive(parser_.head());
  }
}

void UpstreamConnection::release_memory() {
  if (std::exchange(memory_kept_, false)) {
    parser_.release_memory();
  }
}

void UpstreamConnection::close() {
  detach();
  stream_.reset();
  permit_.release();
}

void UpstreamConnection::on_read(std::span<const char> bytes) {
  if (user_ == nullptr) {
    pool_.drop(*this);
    return;
  }
  advance(bytes);
}

void UpstreamConnection::on_forwarded(std::size_t bytes, net::WriteResult result) {
  parser_.pass(bytes);
  if (user_ != nullptr && user_->on_upstream_forwarded(bytes, result)) {
    advance({});
  }
}

void UpstreamConnection::advance(std::span<const char> bytes) {
  answered_ = true;
  std::span<const char> rest = bytes;
  while (true) {
    const http::Step step = parser_.next(rest);
    rest = rest.subspan(step.consumed);
    switch (step.kind) {
      case http::Step::Kind::kNeedMore: user_->on_upstream_pause(); return;
      case http::Step::Kind::kHead:
        if (!user_->on_upstream_head(parser_.head())) {
          return;
        }
        stream_->read_at_most(net::Loop::kReadBytes);
        break;
      case http::Step::Kind::kBody:
        if (!user_->on_upstream_body(step.body)) {
          return;
        }
        break;
      case http::Step::Kind::kEnd: {
        if (parser_.head().tunnel) {
          user_->on_upstream_tunnel(rest);
          return;
        }
        // What stands behind a body that was forwarded has not been read, and must not be taken for
        // the next response.
        const bool clean = rest.empty() && parser_.head().keep_alive &&
                           parser_.head().framing.kind != http::Framing::Kind::kUntilClose &&
                           (!bytes.empty() || stream_->quiet());
        std::exchange(user_, nullptr)->on_upstream_end(clean);
        return;
      }
      case http::Step::Kind::kError: fail_user(parser_.error()); return;
    }
  }
}

void UpstreamConnection::fail_user(const http::ParseError& error) {
  std::exchange(user_, nullptr)
      ->on_upstream_failed({error.cause == http::Cause::kReset, http::to_string(error.reason)});
}

void UpstreamConnection::on_eof() {
  if (user_ == nullptr) {
    pool_.drop(*this);
    return;
  }
  const http::Step step = parser_.on_eof();
  if (step.kind == http::Step::Kind::kEnd) {
    std::exchange(user_, nullptr)->on_upstream_end(false);
    return;
  }
  fail_user(parser_.error());
}

void UpstreamConnection::on_broken(const Error&) {
  if (user_ == nullptr) {
    pool_.drop(*this);
    return;
  }
  std::exchange(user_, nullptr)
      ->on_upstream_failed({true, answered_ ? "connection reset inside the response"
                                            : "connection reset before the response"});
}

void UpstreamConnection::on_drained() {
  if (user_ != nullptr) {
    user_->on_upstream_drained();
  }
}

}  // namespace ringside::proxy
