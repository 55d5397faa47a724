// One million znodes of 100 bytes (or as many as the argument says): bytes per znode, the time to
// snapshot and to load them, and the longest slice of each kind, in processor time. Prints; judges
// nothing.
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "config/base/check.h"
#include "config/base/rng.h"
#include "coord/registry/snapshot_cursor.h"
#include "coord/registry/snapshot_loader.h"

namespace ringside::coord {
namespace {

using Ms = std::chrono::duration<double, std::milli>;

// Of this thread on a processor: what others on the machine do is not the slice's.
Ms processor_time() {
  timespec now{};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

// Times slices of one kind.
class Slices {
 public:
  explicit Slices(std::string what) : what_(std::move(what)) {}
  template <typename Work>
  auto time(Work work) {
    const Ms begin = processor_time();
    auto result = work();
    const Ms took = processor_time() - begin;
    ++count_;
    sum_ += took;
    if (took > longest_) {
      longest_ = took;
      longest_at_ = count_;
    }
    return result;
  }
  void print() const {
    fmt::print("{:<34} {:>9.1f} ms in {:>7} slices, longest {:.2f} ms (number {})\n", what_,
               sum_.count(), count_, longest_.count(), longest_at_);
  }

 private:
  std::string what_;
  std::size_t count_ = 0;
  std::size_t longest_at_ = 0;
  Ms sum_{0};
  Ms longest_{0};
};

std::size_t handed_out() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// A tree such as a ring has: services, and in each some thousand nodes.
struct Builder {
  Registry registry;
  Zxid zxid{Epoch{1}, 0};
  std::string data = std::string(100, 'x');
  Slices creates{"create"};

  void apply(TxnOp op) {
    Txn txn;
    txn.ops.push_back(std::move(op));
    zxid = zxid.next();
    CHECK(creates.time([&] { return registry.apply(zxid, txn); }).has_value());
  }
  void create(std::string path, int parent_cversion) {
    TxnCreateNode op;
    op.path = std::move(path);
    op.parent_cversion = parent_cversion;
    op.data.assign(data.begin(), data.end());
    apply(std::move(op));
  }
  void grow(int nodes) {
    constexpr int kEach = 5000;
    for (int i = 0; i < nodes; ++i) {
      const std::string top = fmt::format("/service-{}", i / kEach);
      if (i % kEach == 0) {
        create(top, i / kEach + 1);
      } else {
        create(fmt::format("{}/node-{}", top, i), i % kEach);
      }
    }
  }
};

void change_one(Builder& builder, Rng& rng, int nodes, Slices& changes) {
  const auto i = static_cast<int>(rng.below(static_cast<std::uint64_t>(nodes)));
  const std::string path = i % 5000 == 0 ? fmt::format("/service-{}", i / 5000)
                                         : fmt::format("/service-{}/node-{}", i / 5000, i);
  Txn txn;
  TxnSetData op;
  op.path = path;
  op.data.assign(builder.data.begin(), builder.data.end());
  op.version = builder.registry.get(path)->stat.version + 1;
  txn.ops.push_back(std::move(op));
  builder.zxid = builder.zxid.next();
  CHECK(changes.time([&] { return builder.registry.apply(builder.zxid, txn); }).has_value());
}

Bytes snapshot(Builder& builder, int nodes, std::size_t slice_bytes) {
  Slices begin("begin_snapshot");
  Slices next("next of 256 KiB");
  Slices changes("set while it is read");
  Rng rng(1);
  Bytes whole;
  const auto cursor = begin.time([&] { return builder.registry.begin_snapshot(); });
  while (!cursor->done()) {
    const Bytes part = next.time([&] { return cursor->next(slice_bytes); });
    whole.insert(whole.end(), part.begin(), part.end());
    for (int i = 0; i < 20; ++i) {
      change_one(builder, rng, nodes, changes);
    }
  }
  begin.print();
  next.print();
  changes.print();
  fmt::print("{:<34} {:>9.1f} MB\n", "snapshot", static_cast<double>(whole.size()) / 1e6);
  return whole;
}

Registry load(const Bytes& bytes, std::size_t slice_bytes) {
  constexpr std::size_t kSliceNodes = 2048;
  Slices add("loader: add of 256 KiB");
  Slices finish("loader: finish of 2048 nodes");
  SnapshotLoader loader;
  const ByteView view(bytes);
  for (std::size_t at = 0; at < view.size(); at += slice_bytes) {
    const ByteView part = view.subspan(at, std::min(slice_bytes, view.size() - at));
    CHECK(add.time([&] { return loader.add(part); }).has_value());
  }
  while (!finish.time([&] { return loader.finish(kSliceNodes); }).value()) {
  }
  add.print();
  finish.print();
  return loader.take();
}

void run(int nodes) {
  constexpr std::size_t kSliceBytes = 256U << 10U;
  const std::size_t before = handed_out();
  Builder builder;
  builder.grow(nodes);
  fmt::print("{} znodes of 100 bytes, {} bytes each\n", builder.registry.znodes(),
             (handed_out() - before) / builder.registry.znodes());
  builder.creates.print();
  const std::uint64_t digest = builder.registry.digest();
  const Bytes bytes = snapshot(builder, nodes, kSliceBytes);
  Registry loaded = load(bytes, kSliceBytes);
  CHECK(loaded.digest() == digest);
  Slices dismantle("dismantle of 2048 nodes");
  while (!dismantle.time([&] { return loaded.dismantle(2048); })) {
  }
  dismantle.print();
}

}  // namespace
}  // namespace ringside::coord

int main(int argc, char** argv) {
  ringside::coord::run(argc > 1 ? std::atoi(argv[1]) : 1'000'000);
}
