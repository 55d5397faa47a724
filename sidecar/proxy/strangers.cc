#include "sidecar/proxy/strangers.h"

#include <algorithm>
#include <utility>

namespace ringside::proxy {

void Strangers::add(std::shared_ptr<const balancer::Host> host, Instant now) {
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto found =
      std::find_if(entries_.begin(), end, [&](const Entry& entry) { return entry.host == host; });
  if (found != end) {
    forget(static_cast<std::size_t>(found - entries_.begin()));
  } else if (count_ == kMost) {
    forget(0);
  }
  hosts_[count_] = host.get();
  entries_[count_++] = {std::move(host), now + kTime};
}

std::span<const balancer::Host* const> Strangers::known(Instant now) {
  while (count_ > 0 && entries_[0].until <= now) {
    forget(0);
  }
  return std::span(hosts_).first(count_);
}

void Strangers::forget(std::size_t at) {
  --count_;
  for (; at < count_; ++at) {
    entries_[at] = std::move(entries_[at + 1]);
    hosts_[at] = hosts_[at + 1];
  }
  entries_[count_] = {};
}

}  // namespace ringside::proxy
