// Many sidecars' worth of sessions: each an observer with links, a session and an ephemeral znode
// of its own, all on one loop.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "tests/bench/ring_load/joined_member.h"
#include "tests/bench/ring_load/modes.h"

namespace ringside::bench {

namespace {

using coord::ZkError;

constexpr seconds kAllJoin{300};
constexpr milliseconds kTick{20};
constexpr milliseconds kRetry{200};
constexpr int kTouchesPerTimeout = 6;  // as the registrar of a sidecar does
constexpr std::size_t kLinksEach = 8;
constexpr std::size_t kAtATime = 20;

// What a sidecar with a service does in the ring: opens a session, registers, touches.
class Sidecar {
 public:
  Sidecar(net::Loop& loop, const config::Ring& settings, std::string path, milliseconds timeout)
      : loop_(loop), path_(std::move(path)), timeout_(timeout), member_(loop, settings) {}

  void tick(Instant now) {
    if (under_way_ || now < next_ || !member_.joined()) {
      return;
    }
    if (!session_) {
      open();
    } else if (!registered_) {
      enter();
    } else {
      member_.ring().touch(session_);
      next_ = now + timeout_ / kTouchesPerTimeout;
    }
  }

  [[nodiscard]] bool registered() const { return registered_; }
  [[nodiscard]] bool joined() const { return member_.joined(); }
  JoinedMember& member() { return member_; }

 private:
  void open() {
    under_way_ = true;
    member_.ring().submit(coord::Request{{}, coord::CreateSession{timeout_}},
                          [this](const coord::Reply& reply) {
                            under_way_ = false;
                            if (reply.error == ZkError::kOk) {
                              session_ = reply.session;
                            } else {
                              next_ = loop_.now() + kRetry;
                            }
                          });
  }
  void enter() {
    under_way_ = true;
    member_.write(
        session_, {coord::Create{path_, Bytes(200, 'e'), coord::CreateMode::kEphemeral, true}},
        [this](const coord::Reply& reply) {
          under_way_ = false;
          registered_ = reply.error == ZkError::kOk || reply.error == ZkError::kNodeExists;
          next_ = registered_ ? Instant{} : loop_.now() + kRetry;
        });
  }

  net::Loop& loop_;
  std::string path_;
  milliseconds timeout_;
  JoinedMember member_;
  coord::SessionId session_;
  bool registered_ = false;
  bool under_way_ = false;
  Instant next_{};
};

void allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < wanted) {
    give_up(fmt::format("needs {} descriptors: raise ulimit -Hn", wanted));
  }
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    give_up("cannot raise the limit of descriptors");
  }
}

}  // namespace

void sessions(const Arguments& arguments) {
  const std::size_t count = arguments.number("count", 1000);
  const milliseconds timeout{arguments.number("timeout_ms", 6000)};
  const seconds every{arguments.number("every", 5)};
  const std::string under = arguments.text("under", "/ringside/bench");
  allow_descriptors(count * kLinksEach + 64);
  net::Loop loop;
  std::vector<std::unique_ptr<Sidecar>> all;
  config::Ring settings = arguments.ring();
  const std::string folder = settings.data_dir;
  net::Timer tick(loop, [&] {
    for (const Instant now = loop.now(); const auto& sidecar : all) {
      sidecar->tick(now);
    }
  });
  tick.start_repeating(kTick);
  // Some at a time, as hosts start: each registration goes to every sidecar that is there, so that
  // all at once would measure this one process, which stands for many.
  while (all.size() < count) {
    for (std::size_t n = 0; n < kAtATime && all.size() < count; ++n) {
      settings.data_dir = fmt::format("{}/{}", folder, all.size());
      all.push_back(std::make_unique<Sidecar>(loop, settings,
                                              fmt::format("{}/{:05}", under, all.size()), timeout));
    }
    turn_until(
        loop,
        [&] { return std::ranges::all_of(all, [](const auto& s) { return s->registered(); }); },
        kAllJoin, "every session is open and registered");
  }
  fmt::print("open sessions={}\n", count);
  std::fflush(stdout);
  // An expired session takes its znode with it, and nobody makes it again.
  const Instant end = loop.now() + seconds{arguments.number("seconds", 60)};
  for (Instant next = loop.now() + every; loop.now() < end; next += every) {
    turn_until(loop, [&] { return loop.now() >= next; }, every + seconds{30}, "the next look");
    const auto seen = std::ranges::find_if(all, [](const auto& s) { return s->joined(); });
    const auto entries =
        seen == all.end() ? std::nullopt : (*seen)->member().ring().registry().children(under);
    fmt::print("now joined={} entries={}\n",
               std::ranges::count_if(all, [](const auto& s) { return s->joined(); }),
               entries ? static_cast<std::int64_t>(entries->size()) : -1);
    std::fflush(stdout);
  }
  for (const auto& sidecar : all) {
    leave(loop, sidecar->member());
  }
}

}  // namespace ringside::bench
