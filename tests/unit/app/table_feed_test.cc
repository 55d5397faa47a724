// What the workers route by, as far as the ring is told of it.
#include "sidecar/app/table_feed.h"

#include <doctest/doctest.h>

#include "sidecar/discovery/entry.h"
#include "tests/unit/discovery/fake_client.h"

namespace ringside::app {
namespace {

using coord::BirthId;
using coord::Zxid;

struct Feed {
  // A turn of the control loop; the workers take the table at once.
  void turn(BirthId birth) {
    feed.belongs_to(birth);
    feed.refresh(registry, true, settings);
  }
  balancer::TableVersion oldest;
  TableFeed feed{Rng(1), [this](const auto& table) { oldest = table->version(); },
                 [](const std::string&) {}};
  coord::Registry registry;
  config::Settings settings;
};

TEST_CASE("WorkersWithTheNewestTableRouteByEverythingApplied") {
  Feed made;
  CHECK(made.feed.routed(made.oldest, Zxid{7}) == Zxid{});
  made.turn(BirthId{5});
  CHECK(made.feed.routed(made.oldest, Zxid{7}) == Zxid{7});
  const balancer::TableVersion before = made.oldest;
  made.feed.settings_changed();
  made.turn(BirthId{5});
  CHECK(made.feed.routed(before, Zxid{7}) == Zxid{before.zxid});
  CHECK(made.feed.routed(made.oldest, Zxid{7}) == Zxid{7});
  made.feed.note_all();
  CHECK(made.feed.routed(made.oldest, Zxid{8}) == Zxid{made.oldest.zxid});
}

TEST_CASE("ATableOfAnotherBirthIsNotRoutedByThisRingsZxids") {
  Feed made;
  made.turn(BirthId{});
  made.turn(BirthId{5});
  balancer::TableVersion old = made.oldest;
  old.zxid = 900;  // far ahead of where the new ring stands
  CHECK(made.feed.routed(old, Zxid{900}) == Zxid{900});
  made.turn(BirthId{6});
  CHECK(made.feed.routed(old, Zxid{20}) == Zxid{});
  CHECK(made.feed.routed(made.oldest, Zxid{20}) == Zxid{20});  // no service differs
  CHECK(made.oldest > old);
}

struct Ring {
  Ring() {
    for (unsigned i = 0; i < 3 * TableFeed::kSlice; ++i) {
      add(i);
    }
  }
  void add(unsigned i) {
    balancer::Endpoint one;
    one.service = "orders";
    one.host = "10.0.0.1";
    one.port = static_cast<std::uint16_t>(1 + i);
    one.instance = discovery::make_instance(one.host, one.port, i);
    coord::Multi multi;
    multi.ops.emplace_back(coord::Create{discovery::entry_path("orders", one.instance),
                                         discovery::encode_entry(one),
                                         coord::CreateMode::kPersistent, true});
    REQUIRE(client.carry_out({{}, multi}).error == coord::ZkError::kOk);
  }
  [[nodiscard]] std::size_t routed_to() const {
    const auto* orders = feed.table() ? feed.table()->find("orders") : nullptr;
    return orders == nullptr ? 0 : orders->hosts().size();
  }
  bool turn(bool spoken) { return feed.refresh(client.registry(), spoken, settings); }

  discovery::FakeClient client;
  int tables = 0;
  TableFeed feed{Rng(1), [this](const auto&) { ++tables; }, [](const std::string&) {}};
  config::Settings settings;
};

TEST_CASE("TheTableOfBeforeServesUntilAllIsRead") {
  Ring ring;
  ring.turn(false);
  REQUIRE(ring.tables == 1);
  CHECK_FALSE(ring.feed.reading());
  CHECK_FALSE(ring.feed.has_view());
  int turns = 1;
  for (; !ring.turn(true); ++turns) {
    CHECK(ring.feed.reading());
    CHECK_FALSE(ring.feed.has_view());
    CHECK(ring.tables == 1);
    CHECK(ring.feed.routed(ring.feed.table()->version(), ring.client.registry().applied()) ==
          Zxid{});
    ring.feed.settings_changed();  // has to wait, too
  }
  CHECK(turns >= 3);
  CHECK_FALSE(ring.feed.reading());
  CHECK(ring.feed.has_view());
  CHECK(ring.tables == 2);
  CHECK(ring.routed_to() == 3 * TableFeed::kSlice);
  const Zxid applied = ring.client.registry().applied();
  CHECK(ring.feed.routed(ring.feed.table()->version(), applied) == applied);
}

TEST_CASE("ARegistryThatTheRingHasNotSpokenOfIsNotRead") {
  Ring ring;
  while (!ring.turn(true)) {
  }
  ring.feed.note_all();
  const coord::Registry empty;  // as of an observer that takes a fenced voter's place
  for (int i = 0; i < 10; ++i) {
    ring.feed.settings_changed();
    ring.feed.refresh(empty, false, ring.settings);
    CHECK_FALSE(ring.feed.reading());
  }
  CHECK(ring.routed_to() == 3 * TableFeed::kSlice);
}

}  // namespace
}  // namespace ringside::app
