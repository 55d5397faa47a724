// What one client may see: its own writes, its own order, nothing it was told to be undone. Pure:
// values in, a Violation out.
//
// A client has keys of its own, so each value read must be the last acknowledged one or one whose
// outcome it never learnt.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "coord/zab/types.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

// Of one client.
class ClientRules {
 public:
  explicit ClientRules(std::string name) : name_(std::move(name)) {}

  // Requests through one member get numbers that grow; zxids of successes must grow with them.
  void acknowledged(std::uint64_t order, coord::Zxid zxid);
  void moved();  // to another member, or another run of the same

  // A write of a key of its own: number per client, value unique.
  void wrote(const std::string& key, const std::string& value);
  void write_done(const std::string& key, const std::string& value, coord::Zxid zxid);
  void write_refused(const std::string& key, const std::string& value);
  // A read at a member that stands at `at`, which the client accepts only at last_seen() or later.
  void read(const std::string& key, const std::string& value, coord::Zxid modified, coord::Zxid at);
  void read_nothing(const std::string& key, coord::Zxid at);
  // A read of what is not its own.
  void looked(coord::Zxid at) { saw(at); }

  [[nodiscard]] coord::Zxid last_seen() const { return last_seen_; }

 private:
  struct Key {
    std::string current;              // last acknowledged
    coord::Zxid written;              // by that
    std::set<std::string> uncertain;  // asked for, outcome unknown
  };
  void saw(coord::Zxid at);

  std::string name_;
  coord::Zxid last_seen_;
  std::uint64_t last_order_ = 0;
  coord::Zxid last_zxid_;
  std::map<std::string, Key> keys_;
};

// What all clients together were told.
class SharedRules {
 public:
  // A write that named the version it expects succeeded: nobody else's did with the same.
  void compared_and_set(const std::string& path, std::int32_t expected);
  // A sequential name is given once.
  void named(const std::string& path);
  void acknowledged(coord::Zxid zxid) { newest_ = std::max(newest_, zxid); }
  [[nodiscard]] coord::Zxid newest() const { return newest_; }
  // A sync that was asked for when `newest` was the newest acknowledged write.
  static void synced(coord::Zxid newest_then, coord::Zxid applied);

 private:
  std::set<std::pair<std::string, std::int32_t>> versions_;
  std::set<std::string> names_;
  coord::Zxid newest_;
};

}  // namespace ringside::sim
