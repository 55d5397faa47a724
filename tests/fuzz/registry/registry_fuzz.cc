// Bytes from links and disks into the decoders of coord: nothing may crash, what is read must
// encode to the same bytes, and what is read must be safe to apply and to prepare.
//
// The first byte picks the decoder (and the portions of a snapshot); the rest is its input.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "config/base/check.h"
#include "config/base/crc32c.h"
#include "coord/codec/request_codec.h"
#include "coord/codec/txn_codec.h"
#include "coord/registry/registry.h"
#include "coord/registry/snapshot_format.h"
#include "coord/registry/snapshot_loader.h"

namespace ringside::coord {
namespace {

bool same(const Bytes& bytes, ByteView view) {
  return ByteView(bytes).size() == view.size() &&
         std::equal(bytes.begin(), bytes.end(), view.begin());
}

void fuzz_txn(ByteView input) {
  const auto txn = decode_txn(input);
  if (!txn) {
    return;
  }
  CHECK(same(encode_txn(*txn), input));
  Registry registry;
  const std::uint64_t before = registry.digest();
  if (const auto applied = registry.apply(Zxid{1}, *txn); !applied) {
    CHECK(registry.digest() == before);
  }
}

void fuzz_request(ByteView input) {
  const auto request = decode_request(input);
  if (!request) {
    return;
  }
  CHECK(same(encode_request(*request), input));
  Registry registry;
  Preparer preparer(registry, RingSecret{1, 2});
  const Txn txn =
      preparer.prepare(*request, Origin{}, Zxid{1}, WallTime{}, [] { return SessionId{1}; });
  CHECK(registry.apply(Zxid{1}, txn).has_value());
}

// In portions; the check at the end is made right, or nothing would get past it.
void fuzz_snapshot(ByteView input, std::size_t portion) {
  Bytes bytes(input.begin(), input.end());
  if (bytes.size() >= kEndCheckBytes) {
    bytes.resize(bytes.size() - kEndCheckBytes);
    ByteWriter check;
    check.u32(crc32c(bytes));
    bytes.insert(bytes.end(), check.view().begin(), check.view().end());
  }
  const auto whole = Registry::load(bytes);
  SnapshotLoader loader;
  for (std::size_t at = 0; at < bytes.size(); at += portion) {
    if (!loader.add(ByteView(bytes).subspan(at, std::min(portion, bytes.size() - at)))) {
      break;  // finish() says it again
    }
  }
  Result<bool> finished = loader.finish(portion);
  while (finished.has_value() && !*finished) {
    finished = loader.finish(portion);
  }
  CHECK(finished.has_value() == whole.has_value());
  if (whole) {
    const auto again = Registry::load(whole->snapshot());
    CHECK(again.has_value() && again->digest() == whole->digest() &&
          again->applied() == whole->applied() && again->znodes() == whole->znodes());
    CHECK(loader.take().digest() == whole->digest());
  }
}

}  // namespace
}  // namespace ringside::coord

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const ringside::ByteView input(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0: ringside::coord::fuzz_txn(input); break;
    case 1: ringside::coord::fuzz_request(input); break;
    default: ringside::coord::fuzz_snapshot(input, std::size_t{1} + data[0] / 3); break;
  }
  return 0;
}
