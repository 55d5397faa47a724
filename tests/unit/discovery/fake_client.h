// A registry of one member for tests of discovery: the production Registry and Preparer, replies
// handed out by the test.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "sidecar/discovery/registry_client.h"

namespace ringside::discovery {

class FakeClient : public RegistryClient {
 public:
  void submit(coord::Request request, ReplyHandler on_reply) override {
    queue_.emplace_back(std::move(request), std::move(on_reply));
  }
  [[nodiscard]] bool in_touch() const override { return leader; }
  [[nodiscard]] bool has_view() const override { return view; }
  [[nodiscard]] Contact contact() const override { return at; }
  void touch(coord::SessionId session) override { touched.push_back(session); }
  [[nodiscard]] std::optional<bool> session_lives(coord::SessionId session) const override {
    return observes ? std::nullopt : std::optional(registry_.session(session).has_value());
  }
  [[nodiscard]] const coord::Registry& registry() const override { return registry_; }

  // Carries out what was asked, in order, and answers. Returns how many.
  int serve() {
    int served = 0;
    while (!queue_.empty()) {
      auto [request, on_reply] = std::move(queue_.front());
      queue_.pop_front();
      ++served;
      if (unavailable) {
        coord::Reply reply;
        reply.error = coord::ZkError::kConnectionLoss;
        on_reply(reply);
      } else {
        on_reply(carry_out(request));
      }
    }
    return served;
  }

  // What somebody else does to the registry.
  coord::Reply carry_out(const coord::Request& request) {
    if (const auto* resume = std::get_if<coord::ResumeSession>(&request.what)) {
      coord::Reply reply;
      const bool ours = registry_.session(request.session) &&
                        registry_.is_secret_of(request.session, resume->secret);
      reply.error = ours ? coord::ZkError::kOk : coord::ZkError::kSessionExpired;
      reply.session = request.session;
      return reply;
    }
    if (const auto* routed = std::get_if<coord::Routed>(&request.what)) {
      coord::Reply reply;
      asked_routed.push_back(routed->zxid);
      reply.behind = behind;
      return reply;
    }
    zxid_ = zxid_ == coord::Zxid{} ? coord::Zxid(coord::Epoch{1}, 1) : zxid_.next();
    const auto txn =
        preparer_.prepare(request, {coord::MemberId{1}, coord::RequestId{1}}, zxid_, WallTime{},
                          [this] { return coord::SessionId{++sessions_}; });
    auto applied = registry_.apply(zxid_, txn);
    preparer_.applied(zxid_);
    return applied.value().reply;
  }

  [[nodiscard]] std::size_t asked() const { return queue_.size(); }

  bool unavailable = false;
  Contact at{coord::MemberId{1}, 1};
  bool leader = true;
  bool view = true;
  bool observes = false;  // holds no sessions
  std::vector<coord::SessionId> touched;
  std::vector<coord::SidecarBehind> behind;  // the answer to each Routed
  std::vector<coord::Zxid> asked_routed;

 private:
  coord::Registry registry_;
  coord::Preparer preparer_{registry_, coord::RingSecret{1, 2}};
  coord::Zxid zxid_;
  std::uint64_t sessions_ = 0;
  std::deque<std::pair<coord::Request, ReplyHandler>> queue_;
};

}  // namespace ringside::discovery
