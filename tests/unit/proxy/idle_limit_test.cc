// For how long an idle connection may be used: values worked out by hand.
#include "sidecar/proxy/idle_limit.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <optional>

namespace ringside::proxy {

namespace {

constexpr Duration ms(int value) {
  return milliseconds{value};
}

}  // namespace

TEST_CASE("WithoutKnowledgeItIsTheOldLimits") {
  const IdleLimit limit;
  CHECK(limit.learned() == seconds{55});
  CHECK(limit.to_repeat(std::nullopt) == seconds{55});
  CHECK(limit.once(std::nullopt) == ms(250));
}

TEST_CASE("AnAnnouncedTimeLessAFifthAndForOneUseAtLeastASecond") {
  struct Row {
    int announced;  // seconds
    int to_repeat;  // milliseconds
    int once;
  };
  constexpr std::array kTable{Row{0, 0, 0},
                              Row{1, 800, 0},
                              Row{2, 1600, 1000},
                              Row{3, 2400, 2000},
                              Row{4, 3200, 3000},
                              Row{5, 4000, 4000},
                              Row{6, 4800, 4800},
                              Row{15, 12000, 12000},
                              Row{60, 48000, 48000},
                              Row{68, 54400, 54400},
                              Row{69, 55000, 55000},
                              Row{75, 55000, 55000},
                              Row{999999999, 55000, 55000}};
  const IdleLimit limit;
  for (const Row& row : kTable) {
    CAPTURE(row.announced);
    CHECK(limit.to_repeat(seconds{row.announced}) == ms(row.to_repeat));
    CHECK(limit.once(seconds{row.announced}) == ms(row.once));
  }
}

TEST_CASE("ACloseLowersTheLimitToFourFifthsAndNeverRaisesIt") {
  IdleLimit limit;
  limit.closed_after(seconds{100});
  CHECK(limit.learned() == seconds{55});
  limit.closed_after(ms(1000));
  CHECK(limit.learned() == ms(800));
  limit.closed_after(ms(5000));
  CHECK(limit.learned() == ms(800));
  CHECK(limit.to_repeat(seconds{5}) == ms(800));  // what was seen counts more than what was said
  CHECK(limit.once(seconds{5}) == ms(800));
  CHECK(limit.once(seconds{1}) == ms(0));
  CHECK(limit.once(std::nullopt) == ms(250));
  limit.closed_after(ms(100));
  CHECK(limit.once(std::nullopt) == ms(80));
}

TEST_CASE("ACloseAtOnceLeavesTenMilliseconds") {
  IdleLimit limit;
  limit.closed_after(Duration::zero());
  CHECK(limit.learned() == ms(10));
  CHECK(limit.to_repeat(std::nullopt) == ms(10));
}

TEST_CASE("WhatOutlivesTheLimitRaisesItByASixteenthAndNotOverWhatItProves") {
  IdleLimit limit;
  limit.closed_after(ms(1000));  // 800
  limit.survived(ms(900));       // proves 720
  CHECK(limit.learned() == ms(800));
  limit.survived(ms(1020));  // proves 816
  CHECK(limit.learned() == ms(816));
  limit.survived(seconds{5});  // proves 4000; a sixteenth of 816 is 51
  CHECK(limit.learned() == ms(867));
}

TEST_CASE("OneOddCloseIsForgottenInUnderThreeMinutesOfSweeps") {
  IdleLimit limit;
  limit.closed_after(Duration::zero());
  int sweeps = 0;
  while (limit.learned() < IdleLimit::kMost && sweeps < 1000) {
    limit.survived(seconds{70});
    ++sweeps;
  }
  CHECK(sweeps == 143);  // 10 ms * (17/16)^n >= 55 s
}

TEST_CASE("AServerThatClosesAfterASecondIsNeverTrustedForOne") {
  IdleLimit limit;
  // A sweep each second finds connections of any age that the server has left open.
  for (int i = 0; i < 10'000; ++i) {
    limit.survived(ms(i % 1000));
    if (i % 3 == 0) {
      limit.closed_after(ms(1000 + i % 7));
    }
    if (i > 0) {
      REQUIRE(limit.learned() <= ms(805));
    }
  }
  CHECK(limit.learned() == ms(800));
}

}  // namespace ringside::proxy
