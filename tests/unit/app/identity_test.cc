#include <doctest/doctest.h>

#include "sidecar/app/identity.h"

namespace ringside::app {

namespace {

constexpr std::uint64_t kDrawn = coord::kMinObserverId + 9;

config::Settings three_voters() {
  config::Settings settings;
  settings.ring.present = true;
  settings.ring.voters = {{1, {"a", 4150}}, {2, {"b", 4150}}, {3, {"c", 4150}}};
  settings.ring.listen = {"0.0.0.0", 4150};
  return settings;
}

}  // namespace

TEST_CASE("WithoutVotersASidecarIsARingOfOne") {
  const auto alone = identify(config::Settings{}, coord::MemberId{kDrawn});
  CHECK(alone.self == coord::MemberId{1});
  CHECK(alone.voter);
  REQUIRE(alone.voters.size() == 1);
  CHECK(alone.voters[0].id == 1);
  CHECK(alone.voters[0].address == alone.advertise);
  CHECK(alone.advertise == alone.listen);
}

TEST_CASE("TheVoterWithOurIdOrAddressIsUs") {
  auto settings = three_voters();
  settings.ring.advertise = config::Address{"b", 4150};
  const auto by_address = identify(settings, coord::MemberId{kDrawn});
  CHECK(by_address.self == coord::MemberId{2});
  CHECK(by_address.voter);

  settings.ring.advertise.reset();
  settings.ring.id = 3;
  const auto by_id = identify(settings, coord::MemberId{kDrawn});
  CHECK(by_id.self == coord::MemberId{3});
  CHECK(by_id.advertise == config::Address{"c", 4150});

  settings.ring.advertise = config::Address{"nat", 9};
  CHECK(identify(settings, coord::MemberId{kDrawn}).advertise == config::Address{"nat", 9});
}

TEST_CASE("WhoIsNoVoterObservesUnderTheIdDrawn") {
  auto settings = three_voters();
  settings.ring.advertise = config::Address{"d", 4150};
  const auto observer = identify(settings, coord::MemberId{kDrawn});
  CHECK(observer.self == coord::MemberId{kDrawn});
  CHECK_FALSE(observer.voter);
  CHECK(observer.voters == settings.ring.voters);
  CHECK(observer.advertise == config::Address{"d", 4150});
}

TEST_CASE("AVoterWithoutADiskKeepsItsAddressesAndLosesItsVote") {
  auto settings = three_voters();
  settings.ring.id = 1;
  const auto before = identify(settings, coord::MemberId{});
  const auto after = as_observer(before, coord::MemberId{kDrawn});
  CHECK(after.self == coord::MemberId{kDrawn});
  CHECK_FALSE(after.voter);
  CHECK(after.voters == before.voters);
  CHECK(after.listen == before.listen);
  CHECK(after.advertise == before.advertise);
}

}  // namespace ringside::app
