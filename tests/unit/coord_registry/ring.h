// A ring of one for tests: each request is prepared, carried as bytes, decoded and applied.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "coord/codec/request_codec.h"
#include "coord/codec/txn_codec.h"
#include "coord/registry/registry.h"

namespace ringside::coord::test {

inline Bytes bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

inline Create create(std::string path, CreateMode mode = CreateMode::kPersistent,
                     std::string_view data = "") {
  Create op;
  op.path = std::move(path);
  op.mode = mode;
  op.data = bytes(data);
  return op;
}
inline Create create_deep(std::string path, CreateMode mode = CreateMode::kPersistent) {
  Create op = create(std::move(path), mode);
  op.make_parents = true;
  return op;
}
inline Delete remove(std::string path, std::int32_t version = kAnyVersion,
                     bool missing_is_ok = false) {
  return {std::move(path), version, missing_is_ok};
}
inline SetData set(std::string path, std::string_view data, std::int32_t version = kAnyVersion) {
  return {std::move(path), bytes(data), version};
}
inline CheckVersion check(std::string path, std::int32_t version = kAnyVersion) {
  return {std::move(path), version};
}

class Ring {
 public:
  static constexpr MemberId kSelf{1};
  static constexpr RingSecret kRingSecret{0x5ec1, 0x5ec2};

  // The transaction as the leader proposes it; it stands in line until apply_one().
  Txn propose(const Request& request) {
    last_ = last_.next();
    ++clock_;
    const auto sent = decode_request(encode_request(request));
    const Request& heard = sent ? *sent : request;
    Txn txn = preparer_.prepare(heard, Origin{kSelf, RequestId{last_.counter()}}, last_,
                                WallTime{milliseconds{clock_}}, [this] { return next_session(); });
    line_.emplace_back(last_, encode_txn(txn));
    return txn;
  }
  Applied apply_one() {
    const auto [zxid, encoded] = line_.front();
    line_.pop_front();
    const auto txn = decode_txn(encoded);
    REQUIRE(txn.has_value());
    last_txn_ = *txn;
    auto applied = registry_.apply(zxid, *txn);
    const std::string why = applied ? "" : applied.error().message;
    REQUIRE_MESSAGE(applied.has_value(), why);
    preparer_.applied(zxid);
    return std::move(*applied);
  }
  // The next step of a session that is closing.
  Applied step_close(SessionId session) {
    last_ = last_.next();
    ++clock_;
    line_.emplace_back(last_, encode_txn(preparer_.continue_closing(
                                  session, Origin{kSelf, RequestId{last_.counter()}}, last_,
                                  WallTime{milliseconds{clock_}})));
    return apply_one();
  }
  Applied run(const Request& request) {
    propose(request);
    while (line_.size() > 1) {
      apply_one();
    }
    return apply_one();
  }
  Reply multi(std::vector<WriteOp> ops, SessionId session = {}) {
    return run({session, Multi{std::move(ops)}}).reply;
  }
  OpResult write(WriteOp op, SessionId session = {}) {
    const Reply reply = multi({std::move(op)}, session);
    return reply.results.empty() ? OpResult{reply.error, {}, {}} : reply.results.front();
  }
  SessionId open_session(milliseconds timeout = milliseconds{6000}) {
    return run({SessionId{}, CreateSession{timeout}}).reply.session;
  }
  ZkError close_session(SessionId id) { return run({id, CloseSession{}}).reply.error; }
  Stat stat(std::string_view path) const {
    const auto view = registry_.get(path);
    REQUIRE(view.has_value());
    return view->stat;
  }

  Registry& registry() { return registry_; }
  [[nodiscard]] const Registry& registry() const { return registry_; }
  [[nodiscard]] std::size_t outstanding() const { return line_.size(); }
  [[nodiscard]] Zxid last() const { return last_; }
  [[nodiscard]] const Txn& last_txn() const { return last_txn_; }

 private:
  SessionId next_session() { return SessionId{0x1000 + ++sessions_}; }

  Registry registry_;
  Preparer preparer_{registry_, kRingSecret};
  Zxid last_{Epoch{1}, 0};
  std::int64_t clock_ = 0;
  std::uint64_t sessions_ = 0;
  std::deque<std::pair<Zxid, Bytes>> line_;
  Txn last_txn_;
};

}  // namespace ringside::coord::test
