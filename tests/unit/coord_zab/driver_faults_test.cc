// Random small steps and faults, a few seeds of it: what was acknowledged stays, and a healed ring
// goes on. (The simulator in tests/sim does this in earnest.)
#include <doctest/doctest.h>

#include "driver_ring.h"

using namespace ringside;
using namespace ringside::coord;
using ringside::coord::test::Answer;
using ringside::coord::test::DriverRing;

namespace {

struct Chaos {
  explicit Chaos(std::uint64_t seed) : rng(seed), ring({1, 2, 3}, seed) {
    ring.options.snapshot_after_bytes = 4096;
    for (const std::uint64_t id : {1, 2, 3}) {
      ring.start(id);
    }
    ring.pass(milliseconds(500));
  }

  std::uint64_t any() { return 1 + rng.below(3); }

  void fault() {
    const std::uint64_t a = any();
    const std::uint64_t b = 1 + a % 3;
    const bool up = ring.member(a).driver != nullptr;
    switch (rng.below(5)) {
      case 0:
        if (up) {
          note_answers(a);
          ring.kill(a);
        }
        break;
      case 1:
        if (!up) {
          ring.start(a);
        }
        break;
      case 2: ring.cut(a, b); break;
      default:
        if (up && ring.member(b).driver) {
          ring.join(a, b);
        }
    }
  }

  void write() {
    const std::uint64_t at = any();
    if (ring.member(at).driver) {
      const RequestId id{++requests};
      Create create;
      create.path = "/r" + std::to_string(id.value);
      ring.driver(at).submit(ring.now, id, Request{SessionId{}, Multi{{create}}});
    }
  }

  void note_answers(std::uint64_t at) {
    for (const Answer& answer : ring.member(at).ports->answers) {
      if (answer.reply.error == ZkError::kOk) {
        acknowledged.push_back("/r" + std::to_string(answer.id.value));
      }
    }
  }

  void heal() {
    for (const std::uint64_t id : {1, 2, 3}) {
      if (!ring.member(id).driver) {
        ring.start(id);
      }
    }
    for (const std::uint64_t id : {1, 2, 3}) {
      ring.join(id, 1 + id % 3);
    }
    ring.pass(seconds(8));
    for (const std::uint64_t id : {1, 2, 3}) {
      ring.join(id, 1 + id % 3);
    }
    ring.pass(seconds(2));
  }

  Rng rng;
  DriverRing ring;
  std::uint64_t requests = 0;
  std::vector<std::string> acknowledged;
};

}  // namespace

TEST_CASE("WhatWasAcknowledgedSurvivesFaultsAndAHealedRingGoesOn") {
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Chaos chaos(seed);
    for (int step = 0; step < 4000; ++step) {
      chaos.ring.stir(chaos.rng);
      if (chaos.rng.chance(0.02)) {
        chaos.write();
      }
      if (chaos.rng.chance(0.006)) {
        chaos.fault();
      }
    }
    chaos.heal();
    REQUIRE(chaos.ring.leader() != 0);
    for (const std::uint64_t id : {1, 2, 3}) {
      REQUIRE_FALSE(chaos.ring.member(id).ports->fence);
      chaos.note_answers(id);
    }
    for (const std::uint64_t id : {1, 2, 3}) {
      const Registry& registry = chaos.ring.driver(id).registry();
      CHECK(registry.digest() == chaos.ring.driver(1).registry().digest());
      for (const std::string& path : chaos.acknowledged) {
        CHECK_MESSAGE(registry.get(path), path);
      }
    }
    CHECK(chaos.ring.errors.empty());
    CHECK(chaos.ring.create(2, "/after")->error == ZkError::kOk);
    acknowledged += chaos.acknowledged.size();
  }
  CHECK(acknowledged > 200);
}
