#include "sidecar/metrics/worker_metrics.h"

#include <algorithm>

namespace ringside::metrics {
namespace {

constexpr int kFirstCode = 100;
constexpr int kCodesPerBlock = 100;
constexpr const char* kOtherWord = "other";

}  // namespace

CodeCounters::~CodeCounters() {
  for (const std::atomic<Block*>& block : blocks_) {
    delete block.load(std::memory_order_relaxed);
  }
}

void CodeCounters::add(int status) {
  const int offset = status - kFirstCode;
  if (offset < 0 || offset >= kCodesPerBlock * static_cast<int>(blocks_.size())) {
    other_.add();
    return;
  }
  std::atomic<Block*>& slot = blocks_[static_cast<std::size_t>(offset / kCodesPerBlock)];
  Block* block = slot.load(std::memory_order_relaxed);
  if (block == nullptr) {
    block = new Block();
    slot.store(block, std::memory_order_release);
  }
  (*block)[static_cast<std::size_t>(offset % kCodesPerBlock)].add();
}

void CodeCounters::collect(std::map<int, std::uint64_t>& sums) const {
  int code = kFirstCode;
  for (const std::atomic<Block*>& slot : blocks_) {
    const Block* block = slot.load(std::memory_order_acquire);
    for (int i = 0; block != nullptr && i < kCodesPerBlock; ++i) {
      if (const std::uint64_t n = (*block)[static_cast<std::size_t>(i)].value(); n > 0) {
        sums[code + i] += n;
      }
    }
    code += kCodesPerBlock;
  }
  if (const std::uint64_t n = other_.value(); n > 0) {
    sums[0] += n;
  }
}

template <std::size_t Slots>
void WordTable<Slots>::add(std::string_view word) {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < used; ++i) {
    if (slots_[i].word() == word) {
      slots_[i].count.add();
      return;
    }
  }
  if (used == kSlots || word.size() > kMaxWord) {
    other_.add();
    return;
  }
  Slot& slot = slots_[used];
  std::copy(word.begin(), word.end(), slot.text.begin());
  slot.size = static_cast<std::uint8_t>(word.size());
  slot.count.add();
  used_.store(used + 1, std::memory_order_release);
}

template <std::size_t Slots>
void WordTable<Slots>::collect(std::map<std::string, std::uint64_t, std::less<>>& sums) const {
  const std::size_t used = used_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    sums[std::string(slots_[i].word())] += slots_[i].count.value();
  }
  if (const std::uint64_t n = other_.value(); n > 0) {
    sums[kOtherWord] += n;
  }
}

template class WordTable<16>;
template class WordTable<64>;

UpstreamStats& WorkerMetrics::upstream(std::string_view name) {
  // Only this thread changes the table, so that it may look without the mutex.
  if (const auto found = upstreams_.find(name); found != upstreams_.end()) {
    return *found->second;
  }
  const std::scoped_lock lock(mutex_);
  const bool full = upstreams_.size() >= kMaxUpstreams;
  const bool shared = name == kUnknownUpstream || name == kOtherUpstreams;
  const std::string_view kept = full && !shared ? kOtherUpstreams : name;
  auto& stats = upstreams_.try_emplace(std::string(kept)).first->second;
  if (stats == nullptr) {
    stats = std::make_unique<UpstreamStats>();
  }
  return *stats;
}

std::vector<WorkerMetrics::NamedStats> WorkerMetrics::upstreams() const {
  const std::scoped_lock lock(mutex_);
  std::vector<NamedStats> all;
  all.reserve(upstreams_.size());
  for (const auto& [name, stats] : upstreams_) {
    all.push_back({name, stats.get()});
  }
  return all;
}

}  // namespace ringside::metrics
