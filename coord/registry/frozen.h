// Who reads a state as it was while it changes on (SnapshotCursor), and how it hears of changes in
// time: before the write, so that it can copy what it has not given out yet. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "coord/registry/node.h"

namespace ringside::coord {

class FrozenReader {
 public:
  FrozenReader() = default;
  virtual ~FrozenReader() = default;
  FrozenReader(const FrozenReader&) = delete;
  FrozenReader& operator=(const FrozenReader&) = delete;

  // The node is about to change or to go. Births need no word: a reader knows what was there.
  virtual void before_change(const Node& node) = 0;
  // The session is about to be made, to change or to go.
  virtual void before_change(SessionId session) = 0;
  virtual void gone() = 0;  // the state ends; no detach any more
};

class FrozenReaders {
 public:
  FrozenReaders() = default;
  ~FrozenReaders() { end(); }
  FrozenReaders(const FrozenReaders&) = delete;
  FrozenReaders& operator=(const FrozenReaders&) = delete;

  void attach(FrozenReader& reader) { readers_.push_back(&reader); }
  void detach(FrozenReader& reader) { std::erase(readers_, &reader); }
  [[nodiscard]] std::size_t size() const { return readers_.size(); }
  template <typename Thing>
  void before_change(const Thing& thing) const {
    for (FrozenReader* reader : readers_) {
      reader->before_change(thing);
    }
  }
  void end() {
    for (FrozenReader* reader : readers_) {
      reader->gone();
    }
    readers_.clear();
  }

 private:
  std::vector<FrozenReader*> readers_;
};

}  // namespace ringside::coord
