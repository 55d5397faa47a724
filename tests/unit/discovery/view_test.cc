#include <doctest/doctest.h>
#include <fmt/format.h>

#include "config/base/rng.h"
#include "fake_client.h"
#include "sidecar/discovery/entry.h"
#include "sidecar/discovery/service_view.h"

namespace ringside::discovery {

namespace {

balancer::Endpoint endpoint(const std::string& service, const std::string& instance) {
  balancer::Endpoint e;
  e.service = service;
  e.instance = instance;
  e.host = "10.0.0.9";
  e.port = 80;
  e.weight = 7;
  e.zone = "eu-1a";
  e.metadata = {{"version", "v2"}};
  e.state = balancer::EndpointState::kDraining;
  return e;
}

Bytes entry(const std::string& service, const std::string& instance, int weight = 7) {
  auto made = endpoint(service, instance);
  made.weight = weight;
  return encode_entry(made);
}

void note(ServiceView& view, const std::string& path) {
  const coord::Change change{coord::ChangeKind::kDataChanged, path};
  view.note(std::span(&change, 1));
}

void create(FakeClient& client, const std::string& path, const Bytes& data) {
  coord::Multi multi;
  multi.ops.emplace_back(coord::Create{path, data, coord::CreateMode::kPersistent, true});
  REQUIRE(client.carry_out({{}, multi}).error == coord::ZkError::kOk);
}

int one_of_three(Rng& rng) {
  return 1 + static_cast<int>(rng.below(3));
}

// Reads everything, at once.
ServiceView whole(const coord::Registry& registry) {
  ServiceView view([](const std::string&) {});
  view.refresh(registry);
  return view;
}

std::vector<std::string> names_of(const balancer::ServiceLists& lists) {
  std::vector<std::string> names;
  for (const auto& [name, endpoints] : lists) {
    for (const auto& one : endpoints) {
      names.push_back(fmt::format("{} {} {}", name, one->instance, one->weight));
    }
  }
  return names;
}

}  // namespace

TEST_CASE("AnEntryIsReadAsItWasWritten") {
  const auto before = endpoint("orders", "i1");
  const auto after = decode_entry(encode_entry(before), "orders", "i1");
  REQUIRE(after);
  CHECK(encode_entry(*after) == encode_entry(before));
  CHECK(after->metadata == before.metadata);
  CHECK(after->state == before.state);
}

TEST_CASE("ABadEntryNamesTheFieldThatIsWrong") {
  const struct {
    const char* text;
    const char* field;
  } rows[] = {
      {"", "JSON"},
      {"[]", "JSON"},
      {R"({"service":"orders","instance":"i1","host":"h","state":"up"})", "port"},
      {R"({"service":"orders","instance":"i1","host":"h","port":0,"state":"up"})", "port"},
      {R"({"service":"orders","instance":"i1","host":"h","port":"80","state":"up"})", "port"},
      {R"({"service":"orders","instance":"i1","host":"h","port":80,"state":"gone"})", "state"},
      {R"({"service":"other","instance":"i1","host":"h","port":80,"state":"up"})", "service"},
      {R"({"service":"orders","instance":"i2","host":"h","port":80,"state":"up"})", "instance"},
      {R"({"service":"orders","instance":"i1","host":"","port":80,"state":"up"})", "host"},
      {R"({"service":"orders","instance":"i1","host":"h\\r\\nx: y","port":80,"state":"up"})",
       "host"},
      {R"({"service":"orders","instance":"i1","host":"h","port":80,"state":"up","weight":1001})",
       "weight"},
      {R"({"service":"orders","instance":"i1","host":"h","port":80,"state":"up","metadata":{"a":1}})",
       "metadata"},
  };
  for (const auto& row : rows) {
    const auto decoded = decode_entry(as_bytes(row.text), "orders", "i1");
    REQUIRE_FALSE(decoded);
    CHECK_MESSAGE(decoded.error().message.find(row.field) != std::string::npos, row.text, " -> ",
                  decoded.error().message);
  }
}

TEST_CASE("ChangedBytesOfAnEntryNeverCrashTheReader") {
  Rng rng(7);
  const Bytes good = encode_entry(endpoint("orders", "i1"));
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    Bytes bytes = good;
    for (std::uint64_t n = rng.below(4) + 1; n > 0; --n) {
      bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng());
    }
    bytes.resize(rng.chance(0.2) ? rng.below(bytes.size()) : bytes.size());
    refused += decode_entry(bytes, "orders", "i1") ? 0 : 1;
  }
  CHECK(refused > 1000);
}

TEST_CASE("TheViewFollowsTheRegistryServiceByService") {
  FakeClient client;
  std::vector<std::string> log;
  ServiceView view([&](const std::string& line) { log.push_back(line); });
  create(client, entry_path("orders", "i1"), encode_entry(endpoint("orders", "i1")));
  create(client, entry_path("users", "u1"), encode_entry(endpoint("users", "u1")));
  view.note_all();
  CHECK(view.refresh(client.registry()));
  CHECK(view.services().size() == 2);
  CHECK_FALSE(view.dirty());

  create(client, entry_path("orders", "i2"), encode_entry(endpoint("orders", "i2")));
  const coord::Change change{coord::ChangeKind::kCreated, entry_path("orders", "i2")};
  view.note(std::span(&change, 1));
  CHECK(view.refresh(client.registry()));
  CHECK(view.services().at("orders").size() == 2);
  CHECK(view.take_changes().size() == 2);
  view.note(std::span(&change, 1));
  CHECK(view.refresh(client.registry()));
  CHECK(view.take_changes().empty());

  create(client, entry_path("orders", "broken"), Bytes{'x'});
  const coord::Change broken{coord::ChangeKind::kCreated, entry_path("orders", "broken")};
  view.note(std::span(&broken, 1));
  CHECK(view.refresh(client.registry()));
  CHECK(view.take_changes().empty());
  REQUIRE(log.size() == 1);
  CHECK(log[0].find("broken") != std::string::npos);
}

TEST_CASE("AnEntryThatChangedIsReadAlone") {
  FakeClient client;
  ServiceView view([](const std::string&) {});
  for (const char* instance : {"i1", "i3", "i5"}) {
    create(client, entry_path("orders", instance), entry("orders", instance));
  }
  view.note_all();
  view.refresh(client.registry());
  static_cast<void>(view.take_changes());
  const auto before = view.services().at("orders");

  coord::Multi multi;
  multi.ops.emplace_back(coord::SetData{entry_path("orders", "i3"), entry("orders", "i3", 9)});
  multi.ops.emplace_back(coord::Delete{entry_path("orders", "i5")});
  multi.ops.emplace_back(coord::Create{entry_path("orders", "i4"), entry("orders", "i4"),
                                       coord::CreateMode::kPersistent, true});
  REQUIRE(client.carry_out({{}, multi}).error == coord::ZkError::kOk);
  note(view, service_path("orders"));
  CHECK_FALSE(view.dirty());  // its entries speak for themselves
  for (const char* instance : {"i4", "i5", "i3"}) {
    note(view, entry_path("orders", instance));
  }
  CHECK(view.refresh(client.registry()));
  const auto& after = view.services().at("orders");
  REQUIRE(after.size() == 3);
  CHECK(after[0] == before[0]);
  CHECK(after[1]->weight == 9);
  CHECK(after[2]->instance == "i4");
  CHECK(before[1]->weight == 7);  // who holds the list of before still does
  const auto changes = view.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].name == "orders");
  CHECK(changes[0].endpoints == &after);
  CHECK(view.take_changes().empty());

  ServiceView anew([](const std::string&) {});
  anew.note_all();
  anew.refresh(client.registry());
  CHECK(anew.save("r", {}, {}) == view.save("r", {}, {}));
}

TEST_CASE("ReadInSlicesAmongAnyChangesTheViewIsWhatReadingEverythingSays") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    FakeClient client;
    ServiceView view([](const std::string&) {});
    const auto some_path = [&] {
      const auto service = fmt::format("{}{}", rng.chance(0.3) ? "S" : "s", rng.below(3));
      return std::pair(service, fmt::format("i{}", rng.below(12)));
    };
    bool changed = false;  // of what a whole reading says, since the last table
    Bytes shown = whole(client.registry()).save("r", {}, {});
    for (int step = 0; step < 300; ++step) {
      const auto [service, instance] = some_path();
      const auto path = entry_path(service, instance);
      if (rng.chance(0.5)) {
        coord::Multi multi;
        if (!client.registry().get(path)) {
          const bool bad = rng.chance(0.2);
          multi.ops.emplace_back(
              coord::Create{path, bad ? Bytes{'x'} : entry(service, instance, one_of_three(rng)),
                            coord::CreateMode::kPersistent, true});
        } else if (rng.chance(0.5)) {
          multi.ops.emplace_back(coord::Delete{path});
        } else {
          multi.ops.emplace_back(coord::SetData{path, entry(service, instance, one_of_three(rng))});
        }
        REQUIRE(client.carry_out({{}, multi}).error == coord::ZkError::kOk);
        note(view, path);
      }
      if (rng.chance(0.02)) {
        view.note_all();
      }
      if (rng.chance(0.4) && view.refresh(client.registry(), 1 + rng.below(4))) {
        const ServiceView naive = whole(client.registry());
        const Bytes now = naive.save("r", {}, {});
        CHECK(view.save("r", {}, {}) == now);
        CHECK(names_of(view.lists()) == names_of(naive.lists()));
        changed = changed || now != shown;
        CHECK((!view.take_changes().empty() || !changed));
        shown = now;
        changed = false;
      }
    }
  }
}

TEST_CASE("ASliceReadsNoMoreThanItMay") {
  FakeClient client;
  for (int i = 0; i < 10; ++i) {
    create(client, entry_path("orders", fmt::format("i{}", i)), Bytes{'x'});
  }
  int read = 0;
  ServiceView view([&](const std::string&) { ++read; });  // one line for each bad entry
  CHECK(view.dirty());
  CHECK_FALSE(view.refresh(client.registry(), 4));
  CHECK(read <= 4);
  const int before = read;
  CHECK_FALSE(view.refresh(client.registry(), 4));
  CHECK(read == before + 4);
  CHECK(view.refresh(client.registry(), 100));
  CHECK(read == 10);
}

TEST_CASE("AServiceGoesWithItsLastEntry") {
  FakeClient client;
  ServiceView view([](const std::string&) {});
  create(client, entry_path("orders", "i1"), entry("orders", "i1"));
  note(view, entry_path("orders", "i1"));
  CHECK(view.refresh(client.registry()));
  CHECK(view.take_changes().size() == 1);
  coord::Multi multi;
  multi.ops.emplace_back(coord::Delete{entry_path("orders", "i1")});
  REQUIRE(client.carry_out({{}, multi}).error == coord::ZkError::kOk);
  note(view, entry_path("orders", "i1"));
  note(view, entry_path("users", "nobody"));
  CHECK(view.refresh(client.registry()));
  CHECK(view.services().empty());
  CHECK(view.lists().empty());
  const auto changes = view.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].endpoints == nullptr);
}

TEST_CASE("SpellingsOfAServiceMeetInOneList") {
  FakeClient client;
  ServiceView view([](const std::string&) {});
  for (const char* service : {"orders", "Orders"}) {
    const std::string instance = std::string("i-") + service;
    create(client, entry_path(service, instance), entry(service, instance));
    note(view, entry_path(service, instance));
    CHECK(view.refresh(client.registry()));
  }
  CHECK(view.lists().at("orders").size() == 2);
  auto changes = view.take_changes();
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].endpoints->size() == 2);
  CHECK((*changes[0].endpoints)[0]->service == "Orders");
  coord::Multi multi;
  multi.ops.emplace_back(coord::Delete{entry_path("orders", "i-orders")});
  REQUIRE(client.carry_out({{}, multi}).error == coord::ZkError::kOk);
  note(view, entry_path("orders", "i-orders"));
  CHECK(view.refresh(client.registry()));
  changes = view.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].endpoints->size() == 1);
}

TEST_CASE("AViewIsSavedAndLoadedButNotAcrossRingsOrBirths") {
  FakeClient client;
  ServiceView view([](const std::string&) {});
  create(client, entry_path("orders", "i1"), encode_entry(endpoint("orders", "i1")));
  view.note_all();
  view.refresh(client.registry());
  const Bytes saved = view.save("blue", coord::BirthId{77}, coord::Zxid(coord::Epoch{1}, 5));

  ServiceView loaded([](const std::string&) {});
  CHECK_FALSE(loaded.load(saved, "green", coord::BirthId{77}));
  CHECK_FALSE(loaded.load(saved, "blue", coord::BirthId{78}));
  CHECK_FALSE(loaded.load(as_bytes("{}"), "blue", coord::BirthId{}));
  CHECK(loaded.services().empty());
  CHECK(loaded.load(saved, "blue", coord::BirthId{}));
  CHECK(loaded.load(saved, "blue", coord::BirthId{77}));
  CHECK(loaded.services().at("orders").at(0)->zone == "eu-1a");
}

}  // namespace ringside::discovery
