// What a znode costs. glibc's own count of what is handed out; skipped where there is none, or
// where a sanitizer has its own allocator.
#include <doctest/doctest.h>

#include <string>

#include "coord/registry/data_tree.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <malloc.h>

namespace ringside::coord::test {
namespace {

std::size_t handed_out() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;  // large blocks (the index) are mapped
}

TEST_CASE("MemoryPerZnode") {
  constexpr int kNodes = 100'000;
  const std::string data(100, 'x');
  const std::size_t before = handed_out();
  DataTree tree;
  for (int i = 0; i < kNodes; ++i) {
    tree.add(*tree.root(), "/node-" + std::to_string(i), data, {}, i + 1, Zxid{});
  }
  const std::size_t each = (handed_out() - before) / kNodes;
  MESSAGE("bytes per znode with 100 bytes of data: ", each);
  CHECK(each < 330);
}

}  // namespace
}  // namespace ringside::coord::test
#endif
