#include <doctest/doctest.h>

#include "fake_client.h"
#include "sidecar/discovery/session_keeper.h"

namespace ringside::discovery {

namespace {

struct Fixture {
  FakeClient client;
  std::vector<std::string> log;
  std::vector<coord::SessionId> seen;
  Instant now{seconds{100}};
  SessionKeeper keeper{client, milliseconds{6000},
                       [this](const std::string& line) { log.push_back(line); }};

  Fixture() {
    keeper.on_change([this](Instant) { seen.push_back(keeper.session()); });
  }
  void settle() {
    for (int i = 0; i < 10; ++i) {
      keeper.tick(now);
      if (client.serve() == 0) {
        now += milliseconds{100};
      }
    }
  }
};

}  // namespace

TEST_CASE("OneSessionIsOpenedAndTold") {
  Fixture f;
  f.settle();
  CHECK(f.keeper.session());
  CHECK(f.client.registry().sessions().size() == 1);
  CHECK(f.seen == std::vector{f.keeper.session()});
}

TEST_CASE("TheSessionIsTouchedSeveralTimesWithinItsTimeout") {
  Fixture f;
  f.settle();
  f.client.touched.clear();
  for (int i = 0; i < 60; ++i) {
    f.now += milliseconds{100};
    f.keeper.tick(f.now);
  }
  CHECK(f.client.touched.size() >= 5);
  CHECK(f.client.touched.size() <= 8);
}

TEST_CASE("AnExpiredSessionIsReplacedWhereTheRegistryShowsIt") {
  Fixture f;
  f.settle();
  const auto before = f.keeper.session();
  f.client.carry_out({before, coord::CloseSession{}});
  f.settle();
  CHECK(f.keeper.session());
  CHECK(f.keeper.session() != before);
  CHECK(f.seen.size() == 3);  // opened, gone, opened
}

TEST_CASE("OnAnObserverTheWordOfWhoAskedUnderItCounts") {
  Fixture f;
  f.client.observes = true;
  f.settle();
  const auto before = f.keeper.session();
  f.client.carry_out({before, coord::CloseSession{}});
  f.settle();
  CHECK(f.keeper.session() == before);
  f.keeper.expired(f.now, coord::SessionId{before.value + 1000});  // of another session: nothing
  CHECK(f.keeper.session() == before);
  f.keeper.expired(f.now, before);
  f.settle();
  CHECK(f.keeper.session() != before);
  CHECK(f.keeper.session());
}

TEST_CASE("ASessionIsThatOfASidecarAndIsResumedWhenContactIsFoundAgain") {
  Fixture f;
  f.client.observes = true;
  f.settle();
  const auto session = f.keeper.session();
  CHECK(f.client.registry().session(session)->sidecar == coord::MemberId{1});
  CHECK(f.client.asked() == 0);
  f.client.leader = false;
  f.client.at.number = 2;  // lost
  f.keeper.moved_on(f.now);
  CHECK(f.client.asked() == 0);
  f.client.leader = true;
  f.client.at.number = 3;  // found
  f.keeper.moved_on(f.now);
  CHECK(f.client.serve() == 1);
  CHECK(f.keeper.session() == session);
  f.settle();
  CHECK(f.client.asked() == 0);  // once is enough
  f.client.carry_out({session, coord::CloseSession{}});
  f.client.at.number = 5;
  f.keeper.moved_on(f.now);
  f.settle();
  CHECK(f.keeper.session());
  CHECK(f.keeper.session() != session);
}

TEST_CASE("AMemberWithANewIdTakesANewSession") {
  Fixture f;
  f.settle();
  const auto before = f.keeper.session();
  f.client.at = {coord::MemberId{1ULL << 32U}, 2};
  f.client.observes = true;
  f.settle();
  CHECK(f.keeper.session());
  CHECK(f.keeper.session() != before);
  CHECK(f.client.registry().session(before));  // what it owns has time to move
  f.client.unavailable = true;
  f.now += milliseconds{1000};
  f.settle();
  f.client.unavailable = false;
  f.now += milliseconds{1000};
  f.settle();
  CHECK_FALSE(f.client.registry().session(before));  // or it would hold back what is routed
  CHECK(f.client.registry().session(f.keeper.session()));
  CHECK(f.client.registry().sessions().size() == 1);
  CHECK(f.seen.size() == 3);  // opened, given up, opened
}

TEST_CASE("AFormerSessionThatIsGoneAlreadyIsLeftAlone") {
  Fixture f;
  f.settle();
  const auto before = f.keeper.session();
  f.client.at = {coord::MemberId{1ULL << 32U}, 2};
  f.client.observes = true;
  f.settle();
  const auto session = f.keeper.session();
  f.client.carry_out({before, coord::CloseSession{}});
  for (int i = 0; i < 3; ++i) {
    f.now += milliseconds{1000};
    f.settle();
  }
  CHECK(f.keeper.session() == session);
  CHECK(f.client.asked() == 0);
}

TEST_CASE("AMovedSessionIsAskedForAndAResumeThatFailsIsTriedAgain") {
  Fixture f;
  f.settle();
  const auto session = f.keeper.session();
  f.client.unavailable = true;
  f.keeper.moved(f.now, session);
  CHECK(f.client.serve() == 1);
  f.client.unavailable = false;
  f.now += seconds{1};
  f.keeper.tick(f.now);
  CHECK(f.client.serve() == 1);
  CHECK(f.keeper.session() == session);
  f.keeper.moved(f.now, session);
  f.keeper.close(f.now);
  f.settle();
  CHECK(f.keeper.closed());
  CHECK(f.client.registry().sessions().empty());
}

TEST_CASE("AFailureToOpenIsTriedAgainWithGrowingPauses") {
  Fixture f;
  f.client.unavailable = true;
  int asked = 0;
  for (int i = 0; i < 100; ++i) {
    f.keeper.tick(f.now);
    asked += f.client.serve();
    f.now += milliseconds{50};
  }
  CHECK(asked >= 5);
  CHECK(asked <= 12);
  CHECK(f.keeper.detail() == "connection_loss");
  f.client.unavailable = false;
  f.now += seconds{2};
  f.settle();
  CHECK(f.keeper.session());
  CHECK(f.keeper.detail().empty());
}

TEST_CASE("ACloseEndsTheSessionForGood") {
  Fixture f;
  f.settle();
  f.keeper.close(f.now);
  CHECK_FALSE(f.keeper.closed());
  f.settle();
  CHECK(f.keeper.closed());
  CHECK_FALSE(f.keeper.session());
  CHECK(f.client.registry().sessions().empty());
  f.settle();
  CHECK(f.client.registry().sessions().empty());
}

TEST_CASE("ACloseWhileTheSessionIsOnItsWayWaitsForItAndEndsIt") {
  Fixture f;
  f.keeper.tick(f.now);
  f.keeper.close(f.now);
  CHECK_FALSE(f.keeper.closed());
  f.settle();
  CHECK(f.keeper.closed());
  CHECK(f.client.registry().sessions().empty());
}

TEST_CASE("ACloseWithoutASessionIsOverAtOnceAndAnUnknownOutcomeIsTriedAgain") {
  Fixture never;
  never.keeper.close(never.now);
  CHECK(never.keeper.closed());
  Fixture f;
  f.settle();
  f.client.unavailable = true;
  f.keeper.close(f.now);
  f.client.serve();
  CHECK_FALSE(f.keeper.closed());
  f.client.carry_out({f.keeper.session(), coord::CloseSession{}});  // it had been carried out
  f.client.unavailable = false;
  f.now += seconds{2};
  f.settle();
  CHECK(f.keeper.closed());
}

}  // namespace ringside::discovery
