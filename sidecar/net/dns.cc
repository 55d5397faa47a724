// Good path: uv_getaddrinfo, callback with the addresses. Failure paths: the name is unknown or
// the resolver does not answer (Error kNotFound); libuv refuses the request, e.g. a name that is no
// legal IDNA (Error by a zero timer); destroyed while waiting (cancelled if still queued; the late
// answer is dropped).
#include "sidecar/net/dns.h"

#include <fmt/format.h>
#include <netdb.h>
#include <uv.h>

#include <optional>
#include <string>
#include <utility>

#include "sidecar/net/timer.h"

namespace ringside::net {

struct Resolve::Impl {
  uv_getaddrinfo_t request{};
  Loop* loop = nullptr;
  config::Address address;
  Callback callback;
  std::optional<Timer> refused;  // delivers an error that libuv gave at once
  bool wanted = true;

  void done(int status, const addrinfo* list);
  [[nodiscard]] Error error(int status) const {
    return Error{ErrorCode::kNotFound,
                 fmt::format("cannot resolve {}: {}", address.host, uv_strerror(status))};
  }
};

Resolve::Resolve(Loop& loop, const config::Address& address, Callback callback) : impl_(new Impl) {
  impl_->loop = &loop;
  impl_->address = address;
  impl_->callback = std::move(callback);
  impl_->request.data = impl_;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  const int error = uv_getaddrinfo(
      loop.raw(), &impl_->request,
      [](uv_getaddrinfo_t* request, int status, addrinfo* list) {
        auto* self = static_cast<Impl*>(request->data);
        self->loop->begin_work();
        self->done(status, list);
        uv_freeaddrinfo(list);
      },
      impl_->address.host.c_str(), nullptr, &hints);
  if (error != 0) {
    impl_->refused.emplace(loop, [self = impl_, error] {
      auto callback_once = std::exchange(self->callback, nullptr);
      callback_once(std::unexpected(self->error(error)));
    });
    impl_->refused->start(Duration::zero());
  }
}

Resolve::~Resolve() {
  impl_->wanted = false;
  if (impl_->refused) {
    delete impl_;
  } else if (impl_->callback == nullptr) {
    delete impl_;
  } else {
    // Fails when a pool thread is at it already; done() frees in both cases.
    uv_cancel(reinterpret_cast<uv_req_t*>(&impl_->request));
  }
}

void Resolve::Impl::done(int status, const addrinfo* list) {
  if (!wanted) {
    delete this;
    return;
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    auto one = SocketAddress::from(entry->ai_addr);
    if (!one.empty()) {
      one.set_port(address.port);
      addresses.push_back(one);
    }
  }
  // From here on the owner may destroy the Resolve, which then frees this.
  auto callback_once = std::exchange(callback, nullptr);
  if (status != 0 || addresses.empty()) {
    callback_once(std::unexpected(error(status != 0 ? status : UV_EAI_NODATA)));
  } else {
    callback_once(std::move(addresses));
  }
}

}  // namespace ringside::net
