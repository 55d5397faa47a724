// A worker's stock of Servings, so that an idle caller costs no parser, no exchange and no buffer:
// there are as many as callers have requests under way.
//
// One per worker, its thread only. A Downstream takes one with the first byte of a message and says
// at its end that it rests; at the end of the turn, when none of its code is on the stack, it gives
// it back. The last one given is the next one taken. trim() frees those that nobody needed since
// the trim before. A Downstream that is destroyed is forgotten.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace ringside::proxy {

class Downstream;
struct Serving;
struct WorkerContext;

class Servings {
 public:
  explicit Servings(WorkerContext& context);
  ~Servings();
  Servings(const Servings&) = delete;
  Servings& operator=(const Servings&) = delete;

  [[nodiscard]] std::unique_ptr<Serving> take(Downstream& downstream);
  void give(std::unique_ptr<Serving> serving);

  // Each once until collect(), which asks them all to give back what they can.
  void note(Downstream& downstream) { resting_.push_back(&downstream); }
  void forget(const Downstream& downstream);
  void collect();

  void trim();
  [[nodiscard]] bool empty() const { return stock_.empty(); }

 private:
  WorkerContext& context_;
  std::vector<std::unique_ptr<Serving>> stock_;
  std::size_t unused_ = 0;  // the fewest in stock since the last trim
  std::vector<Downstream*> resting_;
};

}  // namespace ringside::proxy
