// Writes through one member: as many as possible, or so many a second.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "tests/bench/ring_load/joined_member.h"
#include "tests/bench/ring_load/latencies.h"
#include "tests/bench/ring_load/modes.h"

namespace ringside::bench {

namespace {

using coord::ZkError;

constexpr seconds kJoin{60};
constexpr seconds kLastAnswers{20};
constexpr milliseconds kRetry{2};

std::string path_of(const std::string& under, std::uint64_t number) {
  return fmt::format("{}/{:07}", under, number);
}

coord::WriteOp creation(const std::string& path, std::size_t bytes) {
  return coord::Create{path, Bytes(bytes, 'v'), coord::CreateMode::kPersistent, true};
}

// One member with writes under way. A write is made again until it is answered, except by open().
class Load {
 public:
  Load(const Arguments& arguments)
      : bytes_(arguments.number("bytes", 100)),
        under_(arguments.text("under", "/bench")),
        member_(loop_, arguments.ring()),
        retry_(loop_, [this] {
          for (const auto& write : std::exchange(again_, {})) {
            write();
          }
        }) {
    retry_.start_repeating(kRetry);
    turn_until(loop_, [this] { return member_.joined(); }, kJoin, "in touch with a leader");
  }
  ~Load() { leave(loop_, member_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // The znodes from `first` on below under_; those that exist already are left as they are.
  void create(std::uint64_t first, std::uint64_t count, std::uint64_t batch, std::size_t in_flight);
  void follow();
  void closed(std::size_t in_flight, Duration time);
  void open(std::uint64_t per_second, std::uint64_t nodes, Duration time);

  [[nodiscard]] const char* role() { return coord::to_string(member_.ring().status().role); }
  net::Loop& loop() { return loop_; }
  Latencies& latencies() { return latencies_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void create_from(std::uint64_t first, std::uint64_t count);
  void set_for_ever(std::uint64_t node, Instant until);
  void set_once(std::uint64_t node, Instant due);

  std::size_t bytes_;
  std::string under_;
  net::Loop loop_;
  JoinedMember member_;
  Latencies latencies_;
  std::size_t open_ = 0;
  std::vector<std::function<void()>> again_;  // writes that were lost, to be made anew
  net::Timer retry_;
};

void Load::create_from(std::uint64_t first, std::uint64_t count) {
  std::vector<coord::WriteOp> ops;
  for (std::uint64_t at = first; at < first + count; ++at) {
    ops.push_back(creation(path_of(under_, at), bytes_));
  }
  ++open_;
  member_.write({}, std::move(ops), [this, first, count](const coord::Reply& reply) {
    --open_;
    if (reply.error == ZkError::kConnectionLoss) {
      again_.emplace_back([this, first, count] {
        --open_;
        create_from(first, count);
      });
      ++open_;  // until it is made again
      return;
    }
    if (reply.error != ZkError::kOk && reply.error != ZkError::kNodeExists) {
      give_up(fmt::format("create below {}: {}", under_, coord::to_string(reply.error)));
    }
  });
}

void Load::create(std::uint64_t first, std::uint64_t count, std::uint64_t batch,
                  std::size_t in_flight) {
  for (std::uint64_t at = 0; at < count; at += batch) {
    turn_until(loop_, [&] { return open_ < in_flight; }, kJoin, "a batch of creates is answered");
    create_from(first + at, std::min(batch, count - at));
  }
  turn_until(loop_, [&] { return open_ == 0; }, kJoin, "all creates are answered");
}

void Load::follow() {
  if (member_.ring().status().role == coord::Role::kLeading) {
    member_.ring().hand_over();
    turn_until(
        loop_,
        [this] {
          return member_.joined() && member_.ring().status().role != coord::Role::kLeading;
        },
        kJoin, "another one leads");
  }
}

void Load::set_for_ever(std::uint64_t node, Instant until) {
  const Instant began = loop_.now();
  if (began >= until) {
    --open_;
    return;
  }
  member_.write({}, {coord::SetData{path_of(under_, node), Bytes(bytes_, 'w')}},
                [this, node, until, began](const coord::Reply& reply) {
                  if (reply.error == ZkError::kOk) {
                    latencies_.done(began, loop_.now());
                    return set_for_ever(node, until);
                  }
                  latencies_.failed();
                  again_.emplace_back([this, node, until] { set_for_ever(node, until); });
                });
}

void Load::closed(std::size_t in_flight, Duration time) {
  const Instant until = loop_.now() + time;
  open_ = in_flight;
  for (std::size_t node = 0; node < in_flight; ++node) {
    set_for_ever(node, until);
  }
  turn_until(
      loop_, [this] { return open_ == 0; },
      std::chrono::duration_cast<seconds>(time) + kLastAnswers, "all writes are answered");
}

void Load::set_once(std::uint64_t node, Instant due) {
  ++open_;
  member_.write({}, {coord::SetData{path_of(under_, node), Bytes(bytes_, 'w')}},
                [this, due](const coord::Reply& reply) {
                  --open_;
                  if (reply.error == ZkError::kOk) {
                    latencies_.done(due, loop_.now());
                  } else {
                    latencies_.failed();
                  }
                });
}

void Load::open(std::uint64_t per_second, std::uint64_t nodes, Duration time) {
  const Duration pause = Duration{seconds{1}} / static_cast<std::int64_t>(per_second);
  const Instant began = loop_.now();
  Instant due = began;
  std::uint64_t sent = 0;
  net::Timer tick(loop_, [&] {
    for (const Instant now = loop_.now(); due <= now && due < began + time; due += pause) {
      set_once(sent++ % nodes, due);
    }
  });
  tick.start_repeating(milliseconds{1});
  turn_until(
      loop_, [&] { return due >= began + time && open_ == 0; },
      std::chrono::duration_cast<seconds>(time) + kLastAnswers, "all writes are answered");
}

}  // namespace

void fill(const Arguments& arguments) {
  Load load(arguments);
  const std::uint64_t count = arguments.number("count", 1'000'000);
  const Instant began = load.loop().now();
  load.create(0, count, arguments.number("batch", 200), arguments.number("in_flight", 8));
  const auto took = std::chrono::duration<double>(load.loop().now() - began);
  fmt::print("fill znodes={} bytes={} seconds={:.2f}\n", count, load.bytes(), took.count());
}

void closed_loop(const Arguments& arguments) {
  Load load(arguments);
  const std::size_t in_flight = arguments.number("in_flight", 1);
  const seconds time{arguments.number("seconds", 10)};
  load.create(0, in_flight, 100, 4);
  load.follow();
  load.closed(in_flight, seconds{1});  // not counted
  load.latencies() = {};
  load.closed(in_flight, time);
  fmt::print("closed in_flight={} bytes={} through={} {}\n", in_flight, load.bytes(), load.role(),
             load.latencies().summary(time));
}

void open_loop(const Arguments& arguments) {
  Load load(arguments);
  const std::uint64_t nodes = arguments.number("nodes", 1000);
  const seconds time{arguments.number("seconds", 60)};
  load.create(0, nodes, 100, 4);
  load.open(arguments.number("per_second", 1000), nodes, time);
  fmt::print("open bytes={} through={} {}\n", load.bytes(), load.role(),
             load.latencies().summary(time));
}

}  // namespace ringside::bench
