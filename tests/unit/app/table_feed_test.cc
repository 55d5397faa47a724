// What the workers route by, as far as the ring is told of it.
#include "sidecar/app/table_feed.h"

#include <doctest/doctest.h>

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

}  // namespace
}  // namespace ringside::app
