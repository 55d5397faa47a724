#include "sidecar/proxy/servings.h"

#include <algorithm>
#include <utility>

#include "sidecar/proxy/downstream.h"
#include "sidecar/proxy/serving.h"

namespace ringside::proxy {

Servings::Servings(WorkerContext& context) : context_(context) {}

Servings::~Servings() = default;

std::unique_ptr<Serving> Servings::take(Downstream& downstream) {
  std::unique_ptr<Serving> serving;
  if (stock_.empty()) {
    serving = std::make_unique<Serving>(context_);
  } else {
    serving = std::move(stock_.back());
    stock_.pop_back();
    unused_ = std::min(unused_, stock_.size());
  }
  serving->exchange.serve(downstream);
  return serving;
}

void Servings::give(std::unique_ptr<Serving> serving) {
  stock_.push_back(std::move(serving));
}

void Servings::forget(const Downstream& downstream) {
  std::erase(resting_, &downstream);
}

void Servings::collect() {
  for (Downstream* downstream : resting_) {
    downstream->rest();
  }
  resting_.clear();
}

void Servings::trim() {
  const std::size_t spare = std::min(unused_, stock_.size());
  stock_.erase(stock_.begin(), stock_.begin() + static_cast<std::ptrdiff_t>(spare));
  unused_ = stock_.size();
}

}  // namespace ringside::proxy
