// RingMember on a real loop and a real directory: what no pure part can show.
#include "sidecar/app/ring_member.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "sidecar/app/kept_identity.h"
#include "tests/unit/net/net_fixture.h"

namespace ringside::app {

namespace fs = std::filesystem;
using net::test::run_until;

namespace {

struct Listener : RingListener {
  void ring_changed(std::span<const coord::Change> /*changes*/) override {}
  void ring_reloaded() override {}
  void ring_moved() override {}
  void ring_log(coord::LogSeverity /*severity*/, const std::string& message) override {
    if (on_log) {
      on_log(message);
    }
  }
  std::function<void(const std::string&)> on_log;
};

struct Fixture {
  Fixture() {
    std::string name = (fs::temp_directory_path() / "ringside-member-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory = name;
    auto probe = net::TcpListener::open(loop, {"127.0.0.1", 0}, {});
    REQUIRE(probe.has_value());
    settings.data_dir = directory;
    settings.listen = {"127.0.0.1", (*probe)->port()};
    settings.election_timeout = milliseconds{40};
    settings.heartbeat_interval = milliseconds{10};
  }
  ~Fixture() { fs::remove_all(directory); }

  // A ring of one that holds a session, until `then` has been called.
  void run(const std::function<void(RingMember&)>& then) {
    RingMember member(loop, settings, listener);
    REQUIRE(member.start(nullptr));
    then(member);
    bool idle = false;
    member.stop([&idle] { idle = true; });
    run_until(loop, [&idle] { return idle; });
  }

  net::Loop loop;
  config::Ring settings;
  Listener listener;
  std::string directory;
};

coord::Request open_session() {
  return {{}, coord::CreateSession{milliseconds{2000}, true}};
}

}  // namespace

TEST_CASE("AHandlerIsNeverCalledFromWithinSubmit") {
  Fixture made;
  made.run([&](RingMember& member) {
    int answered = 0;
    bool inside = false;
    const auto ask = [&] {
      inside = true;
      member.submit(open_session(), [&](const coord::Reply&) {
        CHECK_FALSE(inside);
        ++answered;
      });
      inside = false;
    };
    ask();  // perhaps without a leader: refused at once
    run_until(made.loop, [&] { return answered == 1 && member.in_touch(); });
    ask();
    run_until(made.loop, [&] { return answered == 2; });
    made.settings.voters.clear();
  });
}

TEST_CASE("ARecoveryThatIsDoneOnDiskIsToldAsDoneThoughTheLinksCannotOpen") {
  Fixture made;
  made.run([&](RingMember& member) {
    bool written = false;
    run_until(made.loop, [&] { return member.in_touch(); });
    member.submit(open_session(),
                  [&](const coord::Reply& reply) { written = reply.error == coord::ZkError::kOk; });
    run_until(made.loop, [&] { return written; });
  });
  // The next start is one of two, and the other never comes.
  fs::remove(fs::path(made.directory) / "voters");
  const config::Voter self{1, made.settings.listen};
  made.settings.voters = {self, config::Voter{2, {"127.0.0.1", 1}}};
  made.settings.id = 1;
  made.run([&](RingMember& member) {
    const coord::BirthId before = member.birth();
    run_until(made.loop, [&] { return member.recovery_refused().empty(); });
    // Between the end of the old links and the beginning of the new ones somebody takes the port.
    std::unique_ptr<net::TcpListener> thief;
    made.listener.on_log = [&](const std::string& message) {
      if (message.find("begins anew") != std::string::npos) {
        auto opened = net::TcpListener::open(
            made.loop, {made.settings.listen.host, made.settings.listen.port}, {});
        REQUIRE(opened.has_value());
        thief = std::move(*opened);
      }
    };
    config::Ring alone = made.settings;
    alone.voters = {self};
    std::optional<Result<RingMember::Recovery>> answer;
    member.recover(alone, [&](Result<RingMember::Recovery> result) { answer = std::move(result); });
    run_until(made.loop, [&] { return answer.has_value(); });
    REQUIRE(answer->has_value());
    CHECK((*answer)->found.birth != before);
    CHECK(member.birth() == (*answer)->found.birth);
    CHECK((*answer)->unfinished.find("in use") != std::string::npos);
    made.listener.on_log = nullptr;
  });
}

}  // namespace ringside::app
