// Forwarding: a stream whose bytes go on to another one inside the kernel.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "net_fixture.h"
#include "sidecar/net/splice_pipe.h"

namespace ringside::net::test {

namespace {

std::string numbered(std::size_t size) {
  std::string text;
  text.reserve(size + 16);
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += std::to_string(i) + ' ';
  }
  text.resize(size);
  return text;
}

std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// `in.client` sends, `in.server` forwards to `out.server`, `out.client` receives.
struct Relay final : StreamHandler {
  explicit Relay(Loop& loop) : in(loop), out(loop) {
    in.server->set_handler(*this);
    out.server->set_handler(target);
    target.then = [this](const std::string& event) {
      if (event == "drained" && in.server) {
        in.server->read_start();
      }
    };
  }
  void on_read(std::span<const char> bytes) override {
    read += bytes.size();
    hold_back(out.server->write(std::string_view(bytes.data(), bytes.size())));
  }
  void on_forwarded(std::size_t bytes, WriteResult result) override {
    forwarded += bytes;
    hold_back(result);
    if (then) {
      then();
    }
  }
  void on_eof() override { ended = true; }
  void on_broken(const Error& why) override { broken = to_string(why.code); }
  void hold_back(WriteResult result) {
    results.push_back(result);
    if (result == WriteResult::kPending) {
      in.server->read_stop();
      most_pending = std::max(most_pending, out.server->pending_bytes());
    }
  }
  [[nodiscard]] bool saw(WriteResult result) const {
    return std::find(results.begin(), results.end(), result) != results.end();
  }
  void send(const std::string& text) { REQUIRE(in.client->write(text) != WriteResult::kBroken); }

  Pair in;
  Pair out;
  Recorder target;
  std::function<void()> then;
  std::size_t read = 0;
  std::size_t forwarded = 0;
  std::size_t most_pending = 0;
  std::vector<WriteResult> results;
  bool ended = false;
  std::string broken;
};

constexpr std::uint64_t kNoLimit = UINT64_MAX;

}  // namespace

TEST_CASE("WhatIsForwardedIsNotReadAndArrivesWhole") {
  Loop loop;
  Relay relay(loop);
  const std::string text = numbered(5'000'000);
  relay.in.server->forward(*relay.out.server, kNoLimit);
  CHECK(relay.in.server->forwarding());
  relay.send(text);
  run_until(loop, [&] { return relay.out.client_saw.bytes.size() == text.size(); });
  CHECK(relay.out.client_saw.bytes == text);
  CHECK(relay.forwarded == text.size());
  CHECK(relay.read == 0);
  CHECK(relay.out.server->written() == text.size());
}

TEST_CASE("TheLimitIsExactAndWhatFollowsIsRead") {
  Loop loop;
  Relay relay(loop);
  const std::string text = numbered(200'000);
  relay.in.server->forward(*relay.out.server, 123'457);
  relay.send(text);
  run_until(loop, [&] { return relay.out.client_saw.bytes.size() == text.size(); });
  CHECK(relay.out.client_saw.bytes == text);
  CHECK(relay.forwarded == 123'457);
  CHECK(relay.read == text.size() - 123'457);
  CHECK_FALSE(relay.in.server->forwarding());
}

TEST_CASE("ALimitOfNothingForwardsNothing") {
  Loop loop;
  Relay relay(loop);
  relay.in.server->forward(*relay.out.server, 0);
  CHECK_FALSE(relay.in.server->forwarding());
  relay.send("read");
  run_until(loop, [&] { return relay.read == 4; });
}

TEST_CASE("ATargetThatTakesNoMoreKeepsThePipeAndTheOrder") {
  Loop loop;
  Relay relay(loop);
  relay.out.client->read_stop();
  const std::string text = numbered(20'000'000);
  relay.in.server->forward(*relay.out.server, kNoLimit);
  relay.send(text);
  run_until(loop, [&] { return relay.saw(WriteResult::kPending); });
  for (int i = 0; i < 20; ++i) {
    loop.turn(false);
  }
  const std::size_t stuck = relay.out.server->pending_bytes();
  CHECK(stuck > 0);
  CHECK(stuck == relay.most_pending);
  CHECK(relay.out.server->unacknowledged() >= stuck);
  // What is written meanwhile comes behind what was forwarded.
  CHECK(relay.out.server->write("<written>") == WriteResult::kPending);
  const std::size_t before = relay.forwarded;
  relay.out.client->read_start();
  run_until(loop, [&] { return relay.out.client_saw.bytes.size() == text.size() + 9; });
  CHECK(relay.out.client_saw.bytes.substr(before, 9) == "<written>");
  CHECK(relay.out.client_saw.bytes.erase(before, 9) == text);
  CHECK(relay.out.server->pending_bytes() == 0);
  CHECK(relay.read + relay.forwarded == text.size());
}

TEST_CASE("AHalfCloseWaitsForWhatIsCarried") {
  Loop loop;
  Relay relay(loop);
  relay.out.client->read_stop();
  relay.in.server->forward(*relay.out.server, kNoLimit);
  const std::string text = numbered(20'000'000);
  relay.send(text);
  run_until(loop, [&] { return relay.saw(WriteResult::kPending); });
  relay.out.server->shutdown();
  const std::size_t sent = relay.forwarded;
  relay.in.server.reset();
  relay.out.client->read_start();
  run_until(loop, [&] { return relay.out.client_saw.saw("eof"); });
  CHECK(relay.out.client_saw.bytes == text.substr(0, sent));
}

TEST_CASE("WhileTheTargetHasBytesPendingTheyAreReadAndCount") {
  Loop loop;
  Relay relay(loop);
  relay.out.client->read_stop();
  std::string text;
  while (relay.out.server->pending_bytes() == 0) {
    text += numbered(1'000'000);
    static_cast<void>(
        relay.out.server->write(std::string_view(text).substr(text.size() - 1'000'000)));
  }
  relay.in.server->forward(*relay.out.server, 10'000);
  relay.send(numbered(12'000));
  run_until(loop, [&] { return relay.read == 12'000; });
  CHECK(relay.forwarded == 0);
  CHECK_FALSE(relay.in.server->forwarding());  // its limit was reached by reading
  text += numbered(12'000);
  relay.out.client->read_start();
  run_until(loop, [&] { return relay.out.client_saw.bytes.size() == text.size(); });
  CHECK(relay.out.client_saw.bytes == text);
}

TEST_CASE("WithoutAPipeBytesAreRead") {
  Loop loop;
  Relay relay(loop);
  std::vector<SplicePipes::Lease> all;
  while (auto pipe = loop.pipes().take()) {
    all.push_back(std::move(pipe));
  }
  CHECK(all.size() == SplicePipes::kMost);
  const std::string text = numbered(300'000);
  relay.in.server->forward(*relay.out.server, kNoLimit);
  relay.send(text);
  run_until(loop, [&] { return relay.out.client_saw.bytes.size() == text.size(); });
  CHECK(relay.out.client_saw.bytes == text);
  CHECK(relay.read == text.size());
  all.clear();
  relay.send("and now");
  run_until(loop, [&] { return relay.forwarded == 7; });
}

TEST_CASE("TheEndComesBehindWhatWasForwarded") {
  Loop loop;
  Relay relay(loop);
  relay.in.server->forward(*relay.out.server, kNoLimit);
  const std::string text = numbered(1'000'000);
  relay.send(text);
  relay.in.client->shutdown();
  run_until(loop, [&] { return relay.ended; });
  CHECK(relay.forwarded == text.size());
  run_until(loop, [&] { return relay.out.client_saw.bytes == text; });
}

TEST_CASE("AResetOfTheSenderIsSeenWhileForwarding") {
  Loop loop;
  Relay relay(loop);
  relay.in.server->forward(*relay.out.server, kNoLimit);
  relay.in.client->reset();
  run_until(loop, [&] { return !relay.broken.empty(); });
  CHECK(relay.broken == "io");
}

TEST_CASE("ATargetThatIsGoneIsToldOnce") {
  Loop loop;
  Relay relay(loop);
  SUBCASE("while nothing is carried") {
    relay.out.client.reset();
    relay.in.server->forward(*relay.out.server, kNoLimit);
    run_until(loop, [&] {
      relay.send("x");
      return relay.saw(WriteResult::kBroken) || relay.target.saw("broken io");
    });
    CHECK(relay.out.server->write("late") == WriteResult::kBroken);
  }
  SUBCASE("while it carries") {
    relay.out.server->read_stop();  // so that only the writing side can notice
    relay.out.client->read_stop();
    relay.in.server->forward(*relay.out.server, kNoLimit);
    relay.send(numbered(20'000'000));
    run_until(loop, [&] { return relay.saw(WriteResult::kPending); });
    relay.out.client->reset();
    run_until(loop, [&] { return relay.target.saw("broken io"); });
    CHECK(relay.out.server->pending_bytes() == 0);
    CHECK(std::count(relay.target.events.begin(), relay.target.events.end(), "broken io") == 1);
  }
}

TEST_CASE("EitherStreamMayGoAtAnyTime") {
  Loop loop;
  {
    Relay relay(loop);
    relay.out.client->read_stop();
    SUBCASE("the target, inside on_forwarded") {
      relay.then = [&] { relay.out.server.reset(); };
      relay.in.server->forward(*relay.out.server, kNoLimit);
      relay.send(numbered(10'000));
      run_until(loop, [&] { return relay.out.server == nullptr; });
      CHECK_FALSE(relay.in.server->forwarding());
    }
    SUBCASE("the source, inside on_forwarded") {
      relay.then = [&] { relay.in.server.reset(); };
      relay.in.server->forward(*relay.out.server, kNoLimit);
      relay.send(numbered(1'000'000));
      run_until(loop, [&] { return relay.in.server == nullptr; });
    }
    SUBCASE("the source resets, inside on_forwarded") {
      relay.then = [&] { relay.in.server->reset(); };
      relay.in.server->forward(*relay.out.server, kNoLimit);
      relay.send(numbered(1'000'000));
      run_until(loop, [&] { return relay.forwarded > 0; });
    }
    SUBCASE("the target, while it carries") {
      relay.in.server->forward(*relay.out.server, kNoLimit);
      relay.send(numbered(20'000'000));
      run_until(loop, [&] { return relay.saw(WriteResult::kPending); });
      relay.out.server.reset();
      CHECK_FALSE(relay.in.server->forwarding());
    }
    SUBCASE("the target resets, while it carries") {
      relay.in.server->forward(*relay.out.server, kNoLimit);
      relay.send(numbered(20'000'000));
      run_until(loop, [&] { return relay.saw(WriteResult::kPending); });
      relay.out.server->reset();
    }
    for (int i = 0; i < 5; ++i) {
      loop.turn(false);
    }
  }
  loop.turn(false);
}

TEST_CASE("APipeThatHeldBytesIsClosedAndAnEmptyOneIsKept") {
  Loop loop;
  {
    const Pair first(loop);
  }  // libuv opens what it keeps
  loop.turn(false);
  const std::size_t before = descriptors();
  {
    Relay relay(loop);
    relay.out.client->read_stop();
    relay.in.server->forward(*relay.out.server, kNoLimit);
    relay.send(numbered(20'000'000));
    run_until(loop, [&] { return relay.saw(WriteResult::kPending); });
  }
  for (int i = 0; i < 5; ++i) {
    loop.turn(false);
  }
  CHECK(descriptors() == before);
  auto pipe = loop.pipes().take();
  const std::size_t with_pipe = descriptors();
  pipe.reset();
  CHECK(descriptors() == with_pipe);
}

TEST_CASE("AReadTakesAtMostWhatItIsAllowed") {
  Loop loop;
  Pair pair(loop);
  pair.server->read_at_most(1000);
  const std::string text = numbered(5000);
  CHECK(pair.client->write(text) == WriteResult::kDone);
  run_until(loop, [&] { return pair.server_saw.bytes.size() == text.size(); });
  CHECK(pair.server_saw.bytes == text);
  CHECK(std::count(pair.server_saw.events.begin(), pair.server_saw.events.end(), "read") >= 5);
}

}  // namespace ringside::net::test
