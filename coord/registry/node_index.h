// Finds a znode by its path: an open hash table of pointers, one word a slot. The nodes keep the
// hash of their path, so that the table holds nothing but pointers. One owner (DataTree), one
// thread. Linear probing, at most three quarters full, erased by shifting back (Knuth 6.4, R).
#pragma once

#include <cstdint>
#include <vector>

namespace ringside::coord {

struct Node;

class NodeIndex {
 public:
  // The first node with this hash for which `same` holds, or null.
  template <typename Same>
  [[nodiscard]] Node* find(std::uint64_t hash, Same same) const {
    if (slots_.empty()) {
      return nullptr;
    }
    for (std::size_t i = home(hash); slots_[i] != nullptr; i = next(i)) {
      if (hash_of(slots_[i]) == hash && same(*slots_[i])) {
        return slots_[i];
      }
    }
    return nullptr;
  }
  void insert(Node* node);  // needs: not in it
  void erase(Node* node);   // needs: in it

  [[nodiscard]] std::size_t size() const { return size_; }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (Node* node : slots_) {
      if (node != nullptr) {
        visit(node);
      }
    }
  }

 private:
  static std::uint64_t hash_of(const Node* node);
  [[nodiscard]] std::size_t home(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  [[nodiscard]] std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
  void place(Node* node);
  void grow();

  std::vector<Node*> slots_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace ringside::coord
