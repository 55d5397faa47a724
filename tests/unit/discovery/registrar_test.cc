#include <doctest/doctest.h>

#include "fake_client.h"
#include "sidecar/discovery/entry.h"
#include "sidecar/discovery/registrar.h"

namespace ringside::discovery {

namespace {

balancer::Endpoint orders(const std::string& instance = "10.0.0.5-8080-00000001") {
  balancer::Endpoint endpoint;
  endpoint.service = "orders";
  endpoint.instance = instance;
  endpoint.host = "10.0.0.5";
  endpoint.port = 8080;
  endpoint.inbound_port = 4143;
  endpoint.weight = 100;
  return endpoint;
}

struct Fixture {
  FakeClient client;
  std::vector<std::string> log;
  Instant now{seconds{100}};
  SessionKeeper keeper{client, milliseconds{6000},
                       [this](const std::string& line) { log.push_back(line); }};
  ServiceView view{[](const std::string&) {}};
  Registrar registrar{client, keeper, view, orders(),
                      [this](const std::string& line) { log.push_back(line); }};

  Fixture() {
    keeper.on_change([this](Instant at) { registrar.session_changed(at); });
  }

  // As App does when something changed.
  void look() {
    view.note_all();
    view.refresh(client.registry());
    registrar.registry_changed(now);
  }

  void settle() {
    for (int i = 0; i < 10; ++i) {
      look();
      keeper.tick(now);
      registrar.tick(now);
      if (client.serve() == 0) {
        now += milliseconds{100};
      }
    }
  }
  [[nodiscard]] std::size_t entries() const {
    return client.registry()
        .children(service_path("orders"))
        .value_or(std::vector<std::string>{})
        .size();
  }
  [[nodiscard]] balancer::Endpoint entry() const {
    const auto path = entry_path("orders", registrar.endpoint().instance);
    const auto node = client.registry().get(path);
    REQUIRE(node.has_value());
    const auto decoded =
        decode_entry(as_bytes(node->data), "orders", registrar.endpoint().instance);
    REQUIRE(decoded.has_value());
    return *decoded;
  }
  // Another sidecar registers.
  void other(const std::string& instance, const std::string& host) {
    auto endpoint = orders(instance);
    endpoint.host = host;
    const auto session = client.carry_out({{}, coord::CreateSession{}}).session;
    coord::Multi multi;
    multi.ops.emplace_back(coord::Create{entry_path("orders", instance), encode_entry(endpoint),
                                         coord::CreateMode::kEphemeral, true});
    REQUIRE(client.carry_out({session, multi}).error == coord::ZkError::kOk);
  }
};

}  // namespace

TEST_CASE("NothingIsRegisteredBeforeTheFirstGoodCheck") {
  Fixture f;
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kUnregistered);
  f.registrar.set_health(f.now, balancer::EndpointState::kUnhealthy);
  f.settle();
  CHECK(f.entries() == 0);
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kRegistered);
  CHECK(f.entry().state == balancer::EndpointState::kUp);
  CHECK(f.entry().inbound_port == 4143);
}

TEST_CASE("AFailingCheckKeepsTheEntryAsUnhealthy") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  f.registrar.set_health(f.now, balancer::EndpointState::kUnhealthy);
  f.settle();
  CHECK(f.entry().state == balancer::EndpointState::kUnhealthy);
  CHECK(f.registrar.settled());
}

TEST_CASE("RegisteringRemovesOlderEntriesOfTheSameAddressInOneTransaction") {
  Fixture f;
  f.other("10.0.0.5-8080-0000000a", "10.0.0.5");
  f.other("10.0.0.6-8080-0000000b", "10.0.0.6");
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  CHECK(f.entries() == 2);
  CHECK_FALSE(f.client.registry().get(entry_path("orders", "10.0.0.5-8080-0000000a")));
  CHECK(f.client.registry().get(entry_path("orders", "10.0.0.6-8080-0000000b")));
}

TEST_CASE("ATakenEntryIsNotTakenBack") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  coord::Multi take;
  take.ops.emplace_back(coord::Delete{entry_path("orders", f.registrar.endpoint().instance),
                                      coord::kAnyVersion, false});
  REQUIRE(f.client.carry_out({{}, take}).error == coord::ZkError::kOk);
  f.other("10.0.0.5-8080-0000000c", "10.0.0.5");
  f.look();
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kTaken);
  CHECK(f.registrar.detail().find("0000000c") != std::string::npos);
  CHECK(f.entries() == 1);
}

TEST_CASE("AnEntryLostWithItsSessionComesBackUnderANewOne") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  const auto before = f.keeper.session();
  f.client.carry_out({before, coord::CloseSession{}});  // what an expiry does
  CHECK(f.entries() == 0);
  f.look();
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kRegistered);
  CHECK(f.keeper.session() != before);
  CHECK(f.entries() == 1);
}

TEST_CASE("AFailureIsTriedAgainLaterAndNeverTwoRequestsAtOnce") {
  Fixture f;
  f.client.unavailable = true;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  for (int i = 0; i < 50; ++i) {
    f.keeper.tick(f.now);
    f.registrar.tick(f.now);
    CHECK(f.client.asked() <= 1);
    f.client.serve();
    f.now += milliseconds{10};
  }
  CHECK(f.keeper.detail() == "connection_loss");
  f.client.unavailable = false;
  f.now += seconds{2};
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kRegistered);
  f.client.unavailable = true;
  f.registrar.set_details(f.now, 7, "", {});
  for (int i = 0; i < 50; ++i) {
    f.registrar.tick(f.now);
    CHECK(f.client.asked() <= 1);
    f.client.serve();
    f.now += milliseconds{10};
  }
  CHECK(f.registrar.detail() == "connection_loss");
}

TEST_CASE("DrainingShowsBeforeLeavingAndLeavingRemovesTheEntryAlone") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  f.registrar.start_draining(f.now);
  f.settle();
  CHECK(f.entry().state == balancer::EndpointState::kDraining);
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  CHECK(f.entry().state == balancer::EndpointState::kDraining);
  const auto session = f.keeper.session();
  f.registrar.leave(f.now);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kLeft);
  CHECK(f.entries() == 0);
  CHECK(f.client.registry().session(session));  // others' ephemerals may stand under it
}

TEST_CASE("DrainingIsKnownByTheTransactionThatSaidIt") {
  Fixture f;
  CHECK_FALSE(f.registrar.ever_shown());
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  CHECK(f.registrar.ever_shown());
  CHECK_FALSE(f.registrar.draining_since());
  f.registrar.start_draining(f.now);
  CHECK_FALSE(f.registrar.settled());
  CHECK_FALSE(f.registrar.draining_since());
  f.settle();
  CHECK(f.registrar.settled());
  const auto said = f.registrar.draining_since();
  REQUIRE(said);
  CHECK(*said == f.client.registry().applied());
  f.registrar.set_details(f.now, 7, "", {});  // a reload: another write, the same drain
  f.settle();
  CHECK(f.entry().weight == 7);
  CHECK(f.entry().state == balancer::EndpointState::kDraining);
  CHECK(f.registrar.draining_since() == said);
}

TEST_CASE("AnUndoneDrainShowsWhatTheHealthCheckSays") {
  for (const auto health : {balancer::EndpointState::kUp, balancer::EndpointState::kUnhealthy}) {
    Fixture f;
    f.registrar.set_health(f.now, balancer::EndpointState::kUp);
    f.settle();
    f.registrar.start_draining(f.now);
    f.settle();
    f.registrar.set_health(f.now, health);  // meanwhile
    f.settle();
    CHECK(f.entry().state == balancer::EndpointState::kDraining);
    f.registrar.stop_draining(f.now);
    f.settle();
    CHECK(f.entry().state == health);
    CHECK_FALSE(f.registrar.draining_since());
  }
}

TEST_CASE("WhoLosesItsSessionWhileDrainingRegistersOnlyOnceTheDrainIsUndone") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  f.client.unavailable = true;
  f.registrar.start_draining(f.now);  // not written
  f.settle();
  CHECK_FALSE(f.registrar.draining_since());
  f.client.carry_out({f.keeper.session(), coord::CloseSession{}});  // what an expiry does
  const auto gone = f.client.registry().applied();
  f.client.unavailable = false;
  f.now += seconds{2};
  f.settle();
  CHECK(f.keeper.session());
  CHECK(f.entries() == 0);
  CHECK(f.registrar.settled());
  REQUIRE(f.registrar.draining_since());
  CHECK(*f.registrar.draining_since() >= gone);
  f.registrar.stop_draining(f.now);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kRegistered);
  CHECK(f.entry().state == balancer::EndpointState::kUp);
}

TEST_CASE("ADrainLeavesNoEntryThatIsOnItsWayBehind") {
  Fixture f;
  f.settle();
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);  // asked for
  f.registrar.start_draining(f.now);
  SUBCASE("it is registered, and says that it drains") {
    f.settle();
    CHECK(f.entry().state == balancer::EndpointState::kDraining);
  }
  SUBCASE("its outcome is unknown: it is taken away") {
    f.client.unavailable = true;
    f.client.serve();
    CHECK_FALSE(f.registrar.settled());
    f.client.unavailable = false;
    f.now += seconds{2};
    f.settle();
    CHECK(f.entries() == 0);
  }
  CHECK(f.registrar.settled());
  CHECK(f.registrar.draining_since());
}

TEST_CASE("ATakenEntryDrainsByItsAbsence") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  f.other("10.0.0.5-8080-0000000c", "10.0.0.5");
  f.look();
  f.settle();
  REQUIRE(f.registrar.state() == RegistrarState::kTaken);
  f.registrar.start_draining(f.now);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kTaken);
  CHECK(f.registrar.draining_since());
}

TEST_CASE("WhoLeavesWhileItsFirstEntryIsOnItsWayTakesItAway") {
  Fixture f;
  f.settle();
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);  // asked, not answered
  f.registrar.leave(f.now);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kLeft);
  CHECK(f.entries() == 0);
}

TEST_CASE("WhoLeavesWithoutASessionHasLeft") {
  Fixture f;
  f.client.unavailable = true;
  f.registrar.leave(f.now);
  CHECK(f.registrar.state() == RegistrarState::kLeft);
}

TEST_CASE("ATakenOneWhoseEntryStillStandsTakesItAway") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  f.other("10.0.0.5-8080-0000000c", "10.0.0.5");  // both looked before either wrote
  CHECK(f.entries() == 2);
  f.look();
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kTaken);
  CHECK(f.entries() == 1);
  CHECK_FALSE(f.client.registry().get(entry_path("orders", f.registrar.endpoint().instance)));
  const std::string who = f.registrar.detail();
  CHECK(who.find("0000000c") != std::string::npos);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kTaken);
  CHECK(f.registrar.detail() == who);
  f.registrar.leave(f.now);
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kLeft);
}

TEST_CASE("AnOlderEntryOfTheSameAddressDoesNotTakeOurs") {
  Fixture f;
  f.settle();
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.other("10.0.0.5-8080-0000000a", "10.0.0.5");  // after our look, before our transaction
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kRegistered);
}

TEST_CASE("WhileTheViewIsYetToBeReadNothingIsRegistered") {
  Fixture f;
  f.other("10.0.0.5-8080-0000000a", "10.0.0.5");
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.keeper.tick(f.now);
  f.client.serve();
  f.registrar.tick(f.now);
  CHECK(f.client.asked() == 0);  // or the older entry would stay
  f.settle();
  CHECK(f.registrar.state() == RegistrarState::kRegistered);
  CHECK(f.entries() == 1);
}

TEST_CASE("ASuccessClearsTheReasonOfTheFailureBefore") {
  Fixture f;
  f.registrar.set_health(f.now, balancer::EndpointState::kUp);
  f.settle();
  f.client.unavailable = true;
  f.registrar.set_details(f.now, 7, "", {});
  f.client.serve();
  CHECK(f.registrar.detail() == "connection_loss");
  CHECK_FALSE(f.registrar.settled());
  f.client.unavailable = false;
  f.now += seconds{2};
  f.settle();
  CHECK(f.entry().weight == 7);
  CHECK(f.registrar.settled());
  CHECK(f.registrar.detail().empty());
}

}  // namespace ringside::discovery
