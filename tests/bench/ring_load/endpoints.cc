// Endpoints in the registry as that many sidecars would have them: a session for each, and an
// ephemeral entry of it, all from one member, which touches them until it is ended.
// Good path: sessions are opened and entries created, a bounded number under way; `open` is
// printed; then touches for ever. Failure path: a ring that is lost meanwhile ends the program,
// since what is measured beside it would be something else.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "sidecar/discovery/entry.h"
#include "tests/bench/ring_load/joined_member.h"
#include "tests/bench/ring_load/modes.h"

namespace ringside::bench {

namespace {

constexpr seconds kJoin{60};
constexpr std::size_t kUnderWay = 64;
constexpr int kTouchesPerTimeout = 6;  // as the registrar of a sidecar does
constexpr std::uint16_t kAppPort = 8080;
constexpr std::uint16_t kInboundPort = 4143;

balancer::Endpoint endpoint(std::uint64_t number, std::uint64_t services) {
  balancer::Endpoint one;
  one.service = fmt::format("service-{:03}", number % services);
  one.host = fmt::format("10.{}.{}.{}", number >> 16U & 255U, number >> 8U & 255U, number & 255U);
  one.port = kAppPort;
  one.inbound_port = kInboundPort;
  one.zone = "zone-a";
  one.metadata = {{"version", "v1"}};
  one.instance = discovery::make_instance(one.host, one.port,
                                          static_cast<std::uint32_t>(number * 2654435761U));
  return one;
}

class Entries {
 public:
  explicit Entries(const Arguments& arguments)
      : count_(arguments.number("count", 1000)),
        services_(std::max<std::uint64_t>(arguments.number("services", 50), 1)),
        timeout_(arguments.number("timeout_ms", 6000)),
        member_(loop_, arguments.ring()),
        touch_(loop_, [this] {
          for (const coord::SessionId session : sessions_) {
            member_.ring().touch(session);
          }
        }) {}

  void open() {
    turn_until(loop_, [this] { return member_.joined(); }, kJoin, "in touch with a leader");
    touch_.start_repeating(timeout_ / kTouchesPerTimeout);
    for (std::uint64_t number = 0; number < count_; ++number) {
      turn_until(loop_, [this] { return under_way_ < kUnderWay; }, kJoin, "entries are answered");
      enter(number);
    }
    turn_until(loop_, [this] { return under_way_ == 0; }, kJoin, "all entries are answered");
  }

  void keep() { loop_.run(); }

 private:
  void enter(std::uint64_t number) {
    ++under_way_;
    member_.ring().submit(
        coord::Request{{}, coord::CreateSession{timeout_}}, [this, number](const coord::Reply& it) {
          check(it, "a session");
          sessions_.push_back(it.session);
          const balancer::Endpoint one = endpoint(number, services_);
          member_.write(
              it.session,
              {coord::Create{discovery::entry_path(one.service, one.instance),
                             discovery::encode_entry(one), coord::CreateMode::kEphemeral, true}},
              [this](const coord::Reply& reply) {
                check(reply, "an entry");
                --under_way_;
              });
        });
  }

  static void check(const coord::Reply& reply, const char* what) {
    if (reply.error != coord::ZkError::kOk) {
      give_up(fmt::format("{}: {}", what, coord::to_string(reply.error)));
    }
  }

  std::uint64_t count_;
  std::uint64_t services_;
  milliseconds timeout_;
  net::Loop loop_;
  JoinedMember member_;
  std::vector<coord::SessionId> sessions_;
  std::size_t under_way_ = 0;
  net::Timer touch_;
};

}  // namespace

void endpoints(const Arguments& arguments) {
  Entries entries(arguments);
  entries.open();
  fmt::print("open endpoints={}\n", arguments.number("count", 1000));
  std::fflush(stdout);
  entries.keep();
}

}  // namespace ringside::bench
