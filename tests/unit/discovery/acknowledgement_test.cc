#include <doctest/doctest.h>

#include "fake_client.h"
#include "sidecar/discovery/acknowledgement.h"

namespace ringside::discovery {

namespace {

constexpr coord::Zxid kAsked{0x100000005};
constexpr coord::Zxid kOther{0x100000009};

struct Fixture {
  FakeClient client;
  Instant now{seconds{100}};
  Acknowledgement asking{client};

  void pass(milliseconds time) {
    for (; time > milliseconds{0}; time -= milliseconds{10}) {
      now += milliseconds{10};
      asking.tick(now);
      client.serve();
    }
  }
};

coord::SidecarBehind behind(std::uint64_t member) {
  return {coord::SessionId{member}, coord::MemberId{member}, {}};
}

}  // namespace

TEST_CASE("TheRingIsAskedUntilNobodyIsBehind") {
  Fixture f;
  f.pass(milliseconds{100});
  CHECK(f.client.asked_routed.empty());  // for nothing yet
  f.client.behind = {behind(2), behind(3)};
  f.asking.begin(f.now, kAsked);
  f.pass(milliseconds{500});
  CHECK_FALSE(f.asking.complete());
  CHECK(f.asking.behind().size() == 2);
  const auto times = f.client.asked_routed.size();
  CHECK(times == 10);  // one in kAskEvery
  f.client.behind = {behind(3)};
  f.pass(milliseconds{50});
  CHECK(f.asking.behind().size() == 1);
  f.client.behind.clear();
  f.pass(milliseconds{50});
  CHECK(f.asking.complete());
  f.pass(milliseconds{500});
  CHECK(f.client.asked_routed.size() == times + 2);
  for (const auto zxid : f.client.asked_routed) {
    CHECK(zxid == kAsked);
  }
}

TEST_CASE("ARingThatDoesNotAnswerIsKnownByItsLastAnswer") {
  Fixture f;
  f.client.behind = {behind(2)};
  f.asking.begin(f.now, kAsked);
  f.pass(milliseconds{200});
  f.client.unavailable = true;
  const Instant before = f.now;
  f.pass(seconds{2});
  CHECK_FALSE(f.asking.complete());
  CHECK(f.asking.heard_at() <= before);
  CHECK(f.asking.heard_at() >= before - milliseconds{100});
  CHECK(f.asking.behind().size() == 1);  // what it said last
  f.client.unavailable = false;
  f.client.behind.clear();
  f.pass(milliseconds{100});
  CHECK(f.asking.complete());
}

TEST_CASE("AnAnswerToAnEarlierQuestionCountsForNothing") {
  Fixture f;
  f.asking.begin(f.now, kAsked);
  f.asking.tick(f.now);  // under way
  f.asking.forget();
  f.asking.begin(f.now, kOther);
  f.client.behind.clear();
  f.client.serve();
  CHECK_FALSE(f.asking.complete());
  f.client.behind = {behind(2)};
  f.pass(milliseconds{100});
  CHECK_FALSE(f.asking.complete());
  CHECK(f.client.asked_routed.back() == kOther);
  f.client.behind.clear();
  f.pass(milliseconds{100});
  CHECK(f.asking.complete());
}

}  // namespace ringside::discovery
