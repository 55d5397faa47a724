// The checker accepts what has an order and refuses what has none: histories worked out by hand.
#include "tests/sim/linearizable.h"

#include <doctest/doctest.h>

namespace ringside::sim {

namespace {

constexpr std::uint64_t kNever = KeyOp::kNever;

KeyOp op(KeyAction action, KeyOutcome outcome, std::uint64_t called, std::uint64_t answered,
         std::string value = {}, std::int32_t version = 0, std::int32_t expected = -1) {
  return {action, std::move(value), expected, version, outcome, called, answered, "c"};
}
KeyOp create(std::string value, std::uint64_t called, std::uint64_t answered) {
  return op(KeyAction::kCreate, KeyOutcome::kOk, called, answered, std::move(value));
}
KeyOp set(std::string value, std::int32_t version, std::uint64_t called, std::uint64_t answered,
          std::int32_t expected = -1) {
  return op(KeyAction::kSet, KeyOutcome::kOk, called, answered, std::move(value), version,
            expected);
}
KeyOp read(std::string value, std::int32_t version, std::uint64_t called, std::uint64_t answered) {
  return op(KeyAction::kRead, KeyOutcome::kOk, called, answered, std::move(value), version);
}
KeyOp lost(KeyAction action, std::string value, std::uint64_t called) {
  return op(action, KeyOutcome::kUnknown, called, kNever, std::move(value));
}
KeyOp absent(std::uint64_t called, std::uint64_t answered) {
  return op(KeyAction::kRead, KeyOutcome::kMissing, called, answered);
}
KeyOp removed(std::uint64_t called, std::uint64_t answered) {
  return op(KeyAction::kDelete, KeyOutcome::kOk, called, answered);
}

bool good(const std::vector<KeyOp>& history) {
  return judge(history) == Verdict::kLinearizable;
}
bool bad(const std::vector<KeyOp>& history) {
  return judge(history) == Verdict::kNot;
}

}  // namespace

TEST_CASE("OneAfterTheOtherMustTell") {
  CHECK(good({}));
  CHECK(good({absent(1, 2), create("a", 3, 4), set("b", 1, 5, 6), read("b", 1, 7, 8),
              removed(9, 10), absent(11, 12)}));
  CHECK(bad({create("a", 1, 2), absent(3, 4)}));
  CHECK(bad({create("a", 1, 2), set("b", 1, 3, 4), read("a", 0, 5, 6)}));  // a stale read
  CHECK(bad({create("a", 1, 2), create("b", 3, 4)}));
  CHECK(bad({create("a", 1, 2), removed(3, 4), read("a", 0, 5, 6)}));
}

TEST_CASE("WhatOverlapsMayGoEitherWay") {
  CHECK(good({create("a", 1, 2), set("b", 1, 3, 6), read("a", 0, 4, 5)}));
  CHECK(good({create("a", 1, 2), set("b", 1, 3, 6), read("b", 1, 4, 5)}));
  // Two readers may not see the change in different orders.
  CHECK(bad({create("a", 1, 2), set("b", 1, 3, 10), read("b", 1, 4, 5), read("a", 0, 6, 7)}));
}

TEST_CASE("AVersionIsReplacedOnce") {
  CHECK(bad({create("a", 1, 2), set("b", 1, 3, 6, 0), set("c", 1, 4, 5, 0)}));
  CHECK(good({create("a", 1, 2), set("b", 1, 3, 6, 0),
              op(KeyAction::kSet, KeyOutcome::kBadVersion, 4, 5, "c", 0, 0)}));
  CHECK(bad({create("a", 1, 2), op(KeyAction::kSet, KeyOutcome::kBadVersion, 3, 4, "c", 0, 0)}));
}

TEST_CASE("AnUnknownOutcomeMayHappenLateOrNever") {
  CHECK(good({create("a", 1, 2), lost(KeyAction::kSet, "b", 3), read("a", 0, 4, 5)}));
  CHECK(good(
      {create("a", 1, 2), lost(KeyAction::kSet, "b", 3), read("a", 0, 4, 5), read("b", 1, 6, 7)}));
  CHECK(bad(
      {create("a", 1, 2), lost(KeyAction::kSet, "b", 3), read("b", 1, 4, 5), read("a", 0, 6, 7)}));
  CHECK(bad({create("a", 1, 2), read("b", 1, 3, 4), lost(KeyAction::kSet, "b", 5)}));
  // Once only.
  CHECK(bad({create("a", 1, 2), lost(KeyAction::kSet, "b", 3), read("b", 1, 4, 5),
             set("c", 2, 6, 7), read("b", 3, 8, 9)}));
}

TEST_CASE("ALostAcknowledgedWriteIsSeenByTheNextVersion") {
  CHECK(bad({create("a", 1, 2), set("b", 1, 3, 4), set("c", 1, 5, 6)}));
}

TEST_CASE("ManyUnknownOutcomesAreNoLongSearch") {
  std::vector<KeyOp> history{create("a", 1, 2)};
  std::uint64_t time = 3;
  std::int32_t version = 0;
  for (int i = 0; i < 60; ++i) {
    history.push_back(lost(KeyAction::kSet, "l" + std::to_string(i), time++));
    history.push_back(set("s" + std::to_string(i), ++version, time, time + 1));
    time += 2;
  }
  CHECK(judge(history, 20'000) == Verdict::kLinearizable);
}

TEST_CASE("ItSaysWhenItGivesUp") {
  CHECK(judge({create("a", 1, 2), read("a", 0, 3, 4)}, 1) == Verdict::kGaveUp);
}

}  // namespace ringside::sim
