#include "coord/driver/digest_watch.h"

#include <algorithm>

namespace ringside::coord {

void DigestWatch::reset(Digest own) {
  own_.assign(1, own);
  awaited_.reset();
}

std::optional<Digest> DigestWatch::applied(Digest own) {
  own_.push_back(own);
  if (own_.size() > kKept) {
    own_.pop_front();
  }
  if (!awaited_ || own.zxid < awaited_->zxid) {
    return std::nullopt;
  }
  const Digest awaited = *awaited_;
  awaited_.reset();
  return heard(awaited);
}

std::optional<Digest> DigestWatch::heard(Digest leaders) {
  if (own_.empty() || leaders.zxid > own_.back().zxid) {
    awaited_ = leaders;
    return std::nullopt;
  }
  const auto found = std::ranges::lower_bound(own_, leaders.zxid, {}, &Digest::zxid);
  const bool differs =
      found != own_.end() && found->zxid == leaders.zxid && found->value != leaders.value;
  return differs ? std::optional(*found) : std::nullopt;
}

}  // namespace ringside::coord
