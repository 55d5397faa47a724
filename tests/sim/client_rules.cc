#include "tests/sim/client_rules.h"

namespace ringside::sim {

void ClientRules::saw(coord::Zxid at) {
  if (at < last_seen_) {
    violate("monotone reads: {} reads at {} after {}", name_, at.to_string(),
            last_seen_.to_string());
  }
  last_seen_ = at;
}

void ClientRules::acknowledged(std::uint64_t order, coord::Zxid zxid) {
  const bool same_order = (order > last_order_) == (zxid > last_zxid_);
  if (last_order_ != 0 && (order == last_order_ || !same_order)) {
    violate("session order: {}'s request {} took {}, its request {} took {}", name_, last_order_,
            last_zxid_.to_string(), order, zxid.to_string());
  }
  if (order > last_order_) {
    last_order_ = order;
    last_zxid_ = zxid;
  }
  last_seen_ = std::max(last_seen_, zxid);
}

void ClientRules::moved() {
  last_order_ = 0;
  last_zxid_ = {};
}

void ClientRules::wrote(const std::string& key, const std::string& value) {
  keys_[key].uncertain.insert(value);
}

void ClientRules::write_done(const std::string& key, const std::string& value, coord::Zxid zxid) {
  Key& known = keys_[key];
  known.uncertain.erase(value);
  if (zxid > known.written) {
    known.current = value;
    known.written = zxid;
  }
  last_seen_ = std::max(last_seen_, zxid);
}

void ClientRules::write_refused(const std::string& key, const std::string& value) {
  keys_[key].uncertain.erase(value);
}

void ClientRules::read(const std::string& key, const std::string& value, coord::Zxid modified,
                       coord::Zxid at) {
  saw(at);
  const Key& known = keys_[key];
  if (modified < known.written) {
    violate("durability: {} wrote {} at {}, and reads what was written at {}", name_, key,
            known.written.to_string(), modified.to_string());
  }
  if (value != known.current && !known.uncertain.contains(value)) {
    violate("read your writes: {} reads \"{}\" from {}, last acknowledged is \"{}\"", name_, value,
            key, known.current);
  }
}

void ClientRules::read_nothing(const std::string& key, coord::Zxid at) {
  saw(at);
  const auto known = keys_.find(key);
  if (known != keys_.end() && known->second.written != coord::Zxid{}) {
    violate("durability: {} wrote {} at {}, and it is not there at {}", name_, key,
            known->second.written.to_string(), at.to_string());
  }
}

void SharedRules::compared_and_set(const std::string& path, std::int32_t expected) {
  if (!versions_.insert({path, expected}).second) {
    violate("exactly once: version {} of {} was replaced twice", expected, path);
  }
}

void SharedRules::named(const std::string& path) {
  if (!names_.insert(path).second) {
    violate("exactly once: the name {} was given twice", path);
  }
}

void SharedRules::synced(coord::Zxid newest_then, coord::Zxid applied) {
  if (applied < newest_then) {
    violate("sync: answered at {}, {} had been acknowledged before it was asked for",
            applied.to_string(), newest_then.to_string());
  }
}

}  // namespace ringside::sim
