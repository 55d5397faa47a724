#include "sidecar/health/probe.h"

#include <fmt/format.h>

namespace ringside::health {

namespace {

constexpr int kFirstGoodStatus = 200;
constexpr int kLastGoodStatus = 399;

}  // namespace

Probe::Probe(net::Loop& loop, const config::Address& address, const config::HealthCheck& check,
             Callback callback)
    : address_(address),
      check_(check),
      callback_(std::move(callback)),
      parser_(http::Limits{}),
      timer_(loop, [this] { done(fmt::format("no answer within {} ms", check_.timeout.count())); }),
      connect_(loop, address, check.timeout,
               [this](Result<std::unique_ptr<net::TcpStream>> stream) {
                 connected(std::move(stream));
               }) {
  timer_.start(check.timeout);
}

void Probe::connected(Result<std::unique_ptr<net::TcpStream>> stream) {
  if (!stream) {
    return done(stream.error().message);
  }
  if (check_.kind == config::HealthCheckKind::kTcp) {
    return done({});
  }
  stream_ = std::move(*stream);
  stream_->set_handler(*this);
  parser_.expect(http::Method::kGet, false);
  const std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ringside-health\r\nConnection: close\r\n\r\n",
      check_.http_path, address_.to_string());
  if (stream_->write(request) == net::WriteResult::kBroken) {
    return done("the connection broke while the request was sent");
  }
  stream_->read_start();
}

void Probe::on_read(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const http::Step step = parser_.next(bytes);
    if (step.kind == http::Step::Kind::kHead && parser_.head().interim) {
      bytes = bytes.subspan(step.consumed);
      continue;
    }
    if (step.kind != http::Step::Kind::kNeedMore) {
      return take(step);
    }
    bytes = bytes.subspan(step.consumed);
  }
}

void Probe::take(const http::Step& step) {
  if (step.kind == http::Step::Kind::kError) {
    return done(fmt::format("not a valid response: {}", http::to_string(parser_.error().reason)));
  }
  const int status = parser_.head().status;
  done(status >= kFirstGoodStatus && status <= kLastGoodStatus ? ""
                                                               : fmt::format("status {}", status));
}

void Probe::on_eof() {
  done("the connection ended before a response");
}

void Probe::on_broken(const Error& why) {
  done(why.message);
}

void Probe::done(const std::string& failure) {
  timer_.stop();
  stream_.reset();
  const Callback callback = std::move(callback_);
  if (callback) {
    callback(failure);
  }
}

}  // namespace ringside::health
