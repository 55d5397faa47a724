#include <doctest/doctest.h>

#include <algorithm>

#include "sidecar/app/drain.h"
#include "sidecar/discovery/entry.h"
#include "tests/unit/discovery/fake_client.h"

namespace ringside::app {

namespace {

using State = Drain::State;

constexpr milliseconds kSettle{5'000};

balancer::Endpoint orders() {
  balancer::Endpoint endpoint;
  endpoint.service = "orders";
  endpoint.instance = "10.0.0.5-8080-00000001";
  endpoint.host = "10.0.0.5";
  endpoint.port = 8080;
  endpoint.weight = 100;
  return endpoint;
}

struct Fixture {
  discovery::FakeClient client;
  std::vector<std::string> log;
  Instant now{seconds{100}};
  discovery::SessionKeeper keeper{client, milliseconds{6000}, [](const std::string&) {}};
  discovery::ServiceView view{[](const std::string&) {}};
  discovery::Registrar registrar{client, keeper, view, orders(), [](const std::string&) {}};
  Drain drain{client,
              &registrar,
              {[this](const std::string& line) { log.push_back(line); },
               [](const coord::SidecarBehind& sidecar) {
                 return "member-" + std::to_string(sidecar.member.value);
               }}};
  std::int64_t in_flight = 0;
  bool frozen = false;  // the ring answers nothing
  bool alone = false;

  Fixture() {
    keeper.on_change([this](Instant at) { registrar.session_changed(at); });
  }
  void pass(milliseconds time) {
    for (; time > milliseconds{0}; time -= milliseconds{50}) {
      now += milliseconds{50};
      view.note_all();
      view.refresh(client.registry());
      keeper.tick(now);
      registrar.tick(now);
      drain.tick(now, {kSettle, in_flight, alone});
      if (!frozen) {
        client.serve();
      }
    }
  }
  void registered() {
    registrar.set_health(now, balancer::EndpointState::kUp);
    pass(milliseconds{300});
    REQUIRE(registrar.state() == discovery::RegistrarState::kRegistered);
  }
  [[nodiscard]] balancer::EndpointState shown() const {
    const auto& endpoint = registrar.endpoint();
    const auto node =
        client.registry().get(discovery::entry_path(endpoint.service, endpoint.instance));
    REQUIRE(node.has_value());
    return discovery::decode_entry(as_bytes(node->data), endpoint.service, endpoint.instance)
        .value()
        .state;
  }
  [[nodiscard]] bool logged(const std::string& part) const {
    return std::ranges::any_of(
        log, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
};

coord::SidecarBehind behind(std::uint64_t member) {
  return {coord::SessionId{member}, coord::MemberId{member}, {}};
}

}  // namespace

TEST_CASE("ADrainIsThroughOnceEverySidecarRoutesAroundIt") {
  Fixture f;
  f.registered();
  f.client.behind = {behind(2), behind(3)};
  f.drain.begin(f.now);
  CHECK_FALSE(f.drain.announced());
  f.pass(milliseconds{200});
  CHECK(f.drain.announced());
  CHECK(f.shown() == balancer::EndpointState::kDraining);
  CHECK(f.drain.zxid() == f.registrar.draining_since());
  CHECK(f.drain.behind().size() == 2);
  f.pass(seconds{20});  // far over drain.settle: the ring answers, so its word counts
  CHECK_FALSE(f.drain.acknowledged());
  CHECK(f.drain.state() == State::kDraining);
  CHECK(f.logged("member-2 member-3"));
  CHECK(f.drain.detail().find("2 of the living sidecars") == 0);
  f.client.behind.clear();
  f.pass(milliseconds{150});
  CHECK(f.drain.acknowledged());
  CHECK(f.drain.state() == State::kDrained);
  CHECK(f.logged("every living sidecar routes around this instance"));
}

TEST_CASE("WhatIsUnderWayIsServedBeforeItIsDrained") {
  Fixture f;
  f.registered();
  f.in_flight = 2;
  f.drain.begin(f.now);
  f.pass(seconds{60});
  CHECK(f.drain.acknowledged());
  CHECK(f.drain.state() == State::kDraining);
  f.in_flight = 0;
  f.pass(milliseconds{50});
  CHECK(f.drain.state() == State::kDrained);
}

TEST_CASE("WithoutAWordOfTheRingItGoesBySettle") {
  Fixture f;
  f.registered();
  SUBCASE("nothing is written") {
    f.client.unavailable = true;
    f.drain.begin(f.now);
    f.pass(kSettle - milliseconds{50});
    CHECK_FALSE(f.drain.acknowledged());
    f.pass(milliseconds{100});
  }
  SUBCASE("written, and the quorum is lost while somebody is behind") {
    f.client.behind = {behind(2)};
    f.drain.begin(f.now);
    f.pass(seconds{3});
    f.client.unavailable = true;
    f.pass(kSettle - milliseconds{100});
    CHECK_FALSE(f.drain.acknowledged());
    f.pass(milliseconds{300});
  }
  SUBCASE("a leader that answers nothing") {
    f.client.behind = {behind(2)};
    f.drain.begin(f.now);
    f.pass(seconds{3});
    f.frozen = true;
    f.pass(kSettle - milliseconds{100});
    CHECK_FALSE(f.drain.acknowledged());
    f.pass(milliseconds{300});
  }
  CHECK(f.drain.acknowledged());
  CHECK(f.drain.state() == State::kDrained);
  CHECK(f.logged("drain.settle"));
}

TEST_CASE("WhomNobodyEverSawWaitsForNobody") {
  Fixture f;
  f.client.behind = {behind(2)};
  SUBCASE("a service that never passed its check") {
    f.pass(milliseconds{200});
    f.drain.begin(f.now);
    f.pass(milliseconds{50});
    CHECK(f.drain.state() == State::kDrained);
  }
  SUBCASE("no service") {
    Drain drain(f.client, nullptr, {[](const std::string&) {}, {}});
    drain.begin(f.now);
    CHECK(drain.announced());
    drain.tick(f.now, {});
    CHECK(drain.state() == State::kDrained);
  }
  CHECK(f.client.asked_routed.empty());
}

TEST_CASE("TheLastOfARingWaitsForNobody") {
  Fixture f;
  f.registered();
  f.client.unavailable = true;
  f.alone = true;
  f.drain.begin(f.now);
  f.pass(milliseconds{50});
  CHECK(f.drain.state() == State::kDrained);
}

TEST_CASE("AnUndoneDrainIsAsIfItHadNotBeen") {
  Fixture f;
  f.registered();
  f.client.behind = {behind(2)};
  f.drain.begin(f.now);
  f.pass(seconds{3});
  f.drain.undo(f.now);
  f.drain.undo(f.now);
  f.pass(milliseconds{200});
  CHECK(f.drain.state() == State::kServing);
  CHECK(f.shown() == balancer::EndpointState::kUp);
  CHECK(f.drain.behind().empty());
  CHECK_FALSE(f.drain.zxid());
  CHECK(f.drain.detail().empty());
  const auto asked = f.client.asked_routed.size();
  f.pass(seconds{1});
  CHECK(f.client.asked_routed.size() == asked);
  f.client.behind.clear();
  f.drain.begin(f.now);  // and again
  f.drain.begin(f.now);
  f.pass(milliseconds{300});
  CHECK(f.drain.state() == State::kDrained);
  CHECK(f.client.asked_routed.back() == f.registrar.draining_since());
}

TEST_CASE("ASessionLostMeanwhileDrainsByItsAbsence") {
  Fixture f;
  f.registered();
  f.client.behind = {behind(2)};
  f.client.unavailable = true;
  f.drain.begin(f.now);
  f.pass(seconds{1});
  f.client.carry_out({f.keeper.session(), coord::CloseSession{}});  // what an expiry does
  f.client.unavailable = false;
  f.pass(seconds{3});
  CHECK(f.drain.announced());
  CHECK(f.drain.behind().size() == 1);
  f.client.behind.clear();
  f.pass(milliseconds{200});
  CHECK(f.drain.state() == State::kDrained);
}

TEST_CASE("ManyBehindAreNotAllNamed") {
  Fixture f;
  f.registered();
  for (std::uint64_t member = 2; member < 40; ++member) {
    f.client.behind.push_back(behind(member));
  }
  f.drain.begin(f.now);
  f.pass(seconds{2});
  CHECK(f.logged("38 of the living sidecars may still send here: member-2"));
  CHECK(f.logged("member-6 and others"));
}

}  // namespace ringside::app
