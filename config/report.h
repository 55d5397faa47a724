// What one reading of a configuration found out: the problems, and where each key was written.
//
// Used by the reader's parts and validate, one object per reading, one thread. Keys are dotted:
// proxy.outbound, upstreams.payments.balance. Invariants: 1. at most kMaxProblems are kept, the
// rest is counted; 2. take() gives them in the order of the file, each with line >= 1 when its
// source is a file.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace ringside::config {

class Report {
 public:
  static constexpr std::size_t kMaxProblems = 200;

  // A source without lines (the command line) begins at line 0.
  explicit Report(std::string_view source, int first_line = 1)
      : source_(source), first_line_(first_line) {}

  void wrote(std::string key, Place place) { places_.insert_or_assign(std::move(key), place); }
  [[nodiscard]] bool written(std::string_view key) const { return places_.contains(key); }
  // Where the key was written, else the nearest block around it, else the beginning.
  [[nodiscard]] Place place_of(std::string_view key) const;

  // The message is prefixed with the key, unless that is empty or the place already names it.
  void add(const Place& place, std::string_view key, std::string_view message);
  // Is there no problem with the key, within it or with a block around it? Only then may other keys
  // be compared with it.
  [[nodiscard]] bool sound(std::string_view key) const;
  [[nodiscard]] bool clean() const { return problems_.empty(); }
  [[nodiscard]] bool full() const { return problems_.size() == kMaxProblems; }

  [[nodiscard]] std::vector<Problem> take();

 private:
  std::string_view source_;
  int first_line_;
  std::map<std::string, Place, std::less<>> places_;
  std::set<std::string, std::less<>> bad_;
  std::vector<Problem> problems_;
  std::size_t left_out_ = 0;
};

}  // namespace ringside::config
