#include "tests/sim/replay.h"

#include <utility>

#include "coord/codec/txn_codec.h"
#include "coord/storage/storage.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

namespace {

class NoDisk : public coord::DiskPort {
 public:
  void submit(coord::DiskBatch /*batch*/) override {}
};

template <typename T>
T need(Result<T> result) {
  if (!result) {
    violate("a member started from files that cannot be replayed: {}", result.error().message);
  }
  return std::move(*result);
}

}  // namespace

void replay(const std::string& ring_name, coord::MemberId member, const coord::DiskImage& image,
            coord::Zxid from, const StateSeen& seen) {
  NoDisk no_disk;
  coord::Storage storage({.ring_name = ring_name, .member = member}, no_disk);
  const coord::Recovered recovered = need(storage.recover(image));
  coord::Registry registry;
  if (recovered.snapshot) {
    registry = need(coord::Registry::load(*recovered.snapshot->bytes));
  }
  for (const coord::Entry& entry : recovered.log) {
    if (entry.zxid <= registry.applied() || entry.zxid > recovered.commit_point) {
      continue;
    }
    const coord::Applied applied =
        need(registry.apply(entry.zxid, need(coord::decode_txn(*entry.txn))));
    if (entry.zxid > from) {
      seen(registry, applied.changes);
    }
  }
}

}  // namespace ringside::sim
