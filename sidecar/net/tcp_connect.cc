// Good path: a numeric address connects at once, a name is resolved first; the first address that
// answers wins. Failure paths: the name is unknown; an address refuses (the next one is tried, the
// last error is told); the time is up in either phase (kTimeout).
#include "sidecar/net/tcp_connect.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "sidecar/net/dns.h"
#include "sidecar/net/timer.h"

namespace ringside::net {

class TcpConnect::Impl final : public StreamHandler {
 public:
  Impl(Loop& loop, const config::Address& address, Duration timeout, Callback callback)
      : loop_(loop),
        address_(address),
        timeout_(timeout),
        callback_(std::move(callback)),
        deadline_(loop, [this] { on_deadline(); }) {
    if (auto numeric = SocketAddress::numeric(address.host, address.port)) {
      addresses_.push_back(*numeric);
      try_next();
    } else {
      resolve_.emplace(loop, address, [this](auto result) { on_resolved(std::move(result)); });
    }
    if (!failed_) {
      deadline_.start(timeout);
    }
  }

  void on_connected() override {
    deadline_.stop();
    auto callback = std::move(callback_);
    callback(std::move(stream_));  // may destroy *this
  }
  void on_broken(const Error& why) override {
    last_ = why;
    stream_.reset();
    try_next();
  }
  // Nothing is read before on_connected.
  void on_read(std::span<const char>) override {}
  void on_eof() override {}

 private:
  void on_resolved(Result<std::vector<SocketAddress>> result) {
    if (!result) {
      give_up(std::move(result.error()));
      return;
    }
    addresses_ = std::move(*result);
    try_next();
  }

  void try_next() {
    while (next_ < addresses_.size()) {
      auto stream = TcpStream::connect(loop_, addresses_[next_++], *this);
      if (stream) {
        stream_ = std::move(*stream);
        return;
      }
      last_ = std::move(stream.error());
    }
    // Through the timer, since this may still be the constructor.
    failed_ = true;
    deadline_.start(Duration::zero());
  }

  void on_deadline() {
    if (failed_) {
      give_up(Error{last_.code, fmt::format("{}: {}", address_.to_string(), last_.message)});
      return;
    }
    give_up(Error{ErrorCode::kTimeout,
                  fmt::format("{}: cannot connect: no answer within {} ms", address_.to_string(),
                              std::chrono::ceil<milliseconds>(timeout_).count())});
  }

  void give_up(Error error) {
    deadline_.stop();
    stream_.reset();
    auto callback = std::move(callback_);
    callback(std::unexpected(std::move(error)));  // may destroy *this
  }

  Loop& loop_;
  config::Address address_;
  Duration timeout_;
  Callback callback_;
  Timer deadline_;
  std::optional<Resolve> resolve_;
  std::vector<SocketAddress> addresses_;
  std::size_t next_ = 0;
  std::unique_ptr<TcpStream> stream_;
  Error last_{ErrorCode::kUnavailable, "no address"};
  bool failed_ = false;
};

TcpConnect::TcpConnect(Loop& loop, const config::Address& address, Duration timeout,
                       Callback callback)
    : impl_(std::make_unique<Impl>(loop, address, timeout, std::move(callback))) {}

TcpConnect::~TcpConnect() = default;

}  // namespace ringside::net
