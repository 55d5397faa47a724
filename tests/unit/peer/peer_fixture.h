// Two hubs, or a hub and a raw connection, on one loop; a handler that notes what it is told.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/peer/peer_hub.h"
#include "tests/unit/net/net_fixture.h"

namespace ringside::peer::test {

using net::test::Recorder;
using net::test::run_until;

inline coord::Handshake member(std::uint64_t id, const std::string& ring = "blue",
                               std::uint64_t birth = 0) {
  coord::Handshake handshake;
  handshake.ring_name = ring;
  handshake.birth = coord::BirthId{birth};
  handshake.id = coord::MemberId{id};
  handshake.voter = id <= coord::kMaxVoterId;
  handshake.address = "127.0.0.1:1";
  return handshake;
}

inline std::shared_ptr<const Bytes> text_frame(std::string_view text) {
  const auto bytes = as_bytes(text);
  return coord::make_frame(Bytes(bytes.begin(), bytes.end()));
}

class FakeHandler final : public PeerHandler {
 public:
  explicit FakeHandler(coord::Handshake ours) : ours_(std::move(ours)) {}

  [[nodiscard]] coord::Handshake handshake() const override { return ours_; }
  Status accept_peer(const coord::Handshake& theirs) const override {
    if (theirs.ring_name != ours_.ring_name) {
      return fail(ErrorCode::kRefused, "it is of ring " + theirs.ring_name);
    }
    if (theirs.birth && ours_.birth && theirs.birth != ours_.birth) {
      return fail(ErrorCode::kRefused, "it is of another birth");
    }
    return {};
  }
  void link_up(const coord::Handshake& peer) override { note("up", peer.id); }
  void link_down(coord::MemberId peer) override {
    note("down", peer);
    if (on_down) {
      on_down(peer);
    }
  }
  Status frame(coord::MemberId peer, ByteView payload) override {
    note(std::string(as_text(payload)), peer);
    return reject == as_text(payload) && !reject.empty() ? fail(ErrorCode::kInvalid, "bad message")
                                                         : Status{};
  }
  void peer_log(coord::LogSeverity /*severity*/, const std::string& message) override {
    lines.push_back(message);
  }

  void rename(std::uint64_t id) { ours_.id = coord::MemberId{id}; }
  [[nodiscard]] bool saw(const std::string& event) const {
    return std::find(events.begin(), events.end(), event) != events.end();
  }
  [[nodiscard]] std::size_t count(const std::string& event) const {
    return static_cast<std::size_t>(std::count(events.begin(), events.end(), event));
  }
  [[nodiscard]] std::size_t logged(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

  std::vector<std::string> events;  // "up 1", "down 1", "PAYLOAD 1"
  std::vector<std::string> lines;
  std::string reject;
  std::function<void(coord::MemberId)> on_down;

 private:
  void note(const std::string& what, coord::MemberId peer) {
    events.push_back(what + " " + std::to_string(peer.value));
  }
  coord::Handshake ours_;
};

struct Hub {
  Hub(net::Loop& loop, const coord::Handshake& ours, std::vector<config::Voter> voters = {})
      : handler(ours), hub(loop, handler, {"127.0.0.1", 0}, std::move(voters)) {
    REQUIRE(hub.start(ours.id).has_value());
  }
  [[nodiscard]] config::Voter as_voter() const {
    return {handler.handshake().id.value, {"127.0.0.1", hub.port()}};
  }
  FakeHandler handler;
  PeerHub hub;
};

// A connection to a hub that says what the test wants.
struct Raw {
  Raw(net::Loop& loop, const Hub& hub) : Raw(loop, hub.hub) {}
  Raw(net::Loop& loop, const PeerHub& hub) {
    const auto address = net::SocketAddress::numeric("127.0.0.1", hub.port());
    stream = std::move(net::TcpStream::connect(loop, *address, seen).value());
    seen.keep_bytes = false;
    run_until(loop, [this] { return seen.saw("connected"); });
    stream->read_start();
  }
  void send(ByteView bytes) { REQUIRE(stream->write(as_text(bytes)) != net::WriteResult::kBroken); }
  void greet(std::uint64_t id) { send(*coord::make_frame(coord::encode_handshake(member(id)))); }
  [[nodiscard]] bool ended() const {
    return std::any_of(seen.events.begin(), seen.events.end(), [](const std::string& event) {
      return event == "eof" || event.starts_with("broken");
    });
  }
  Recorder seen;
  std::unique_ptr<net::TcpStream> stream;
};

}  // namespace ringside::peer::test
