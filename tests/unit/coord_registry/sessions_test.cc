// Secrets of sessions, and sessions that end in slices.
#include <algorithm>

#include "coord/registry/hash.h"
#include "coord/registry/secret.h"
#include "tests/unit/coord_registry/ring.h"

namespace ringside::coord::test {
namespace {

std::string hex(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

// Ephemerals /p/0 .. in creation order.
void own(Ring& ring, SessionId session, std::size_t nodes) {
  ring.write(create("/p"));
  for (std::size_t i = 0; i < nodes; i += kMaxMultiOps) {
    std::vector<WriteOp> ops;
    for (std::size_t n = i; n < std::min(nodes, i + kMaxMultiOps); ++n) {
      ops.emplace_back(create("/p/" + std::to_string(n), CreateMode::kEphemeral));
    }
    REQUIRE(ring.multi(ops, session).error == ZkError::kOk);
  }
}

TEST_CASE("SipHashWith128BitsMatchesTheReferenceVectors") {
  Bytes input;
  const auto at = [&input](std::size_t size) {
    while (input.size() < size) {
      input.push_back(static_cast<std::uint8_t>(input.size()));
    }
    return hex(hash_bytes_128(input, HashKey{}));
  };
  CHECK(at(0) == "a3817f04ba25a8e66df67214c7550293");
  CHECK(at(1) == "da87c1d86b99af44347659119b22fc45");
  CHECK(at(8) == "3b62a9ba6258f5610f83e264f31497b4");
  CHECK(at(15) == "5493e99933b0a8117e08ec0f97cfc3d9");
  CHECK(at(63) == "5150d1772f50834a503e069a973fbd7c");
}

TEST_CASE("ASecretIsOfOneSessionAndOneRing") {
  const Bytes one = session_secret({1, 2}, SessionId{7});
  CHECK(one.size() == kSecretBytes);
  CHECK(one == session_secret({1, 2}, SessionId{7}));
  CHECK(one != session_secret({1, 2}, SessionId{8}));
  CHECK(one != session_secret({1, 3}, SessionId{7}));
  CHECK(same_secret(one, Bytes(one)));
  CHECK_FALSE(same_secret(one, ByteView(one).first(15)));
  for (std::size_t i = 0; i < one.size(); ++i) {
    Bytes wrong = one;
    wrong[i] ^= 0x80U;
    CHECK_FALSE(same_secret(one, wrong));
  }
}

TEST_CASE("TheFirstSessionBringsTheRingsSecretAndSnapshotsKeepIt") {
  Ring ring;
  ring.write(create("/a"));
  CHECK_FALSE(ring.registry().has_secret());
  const Reply first = ring.run({SessionId{}, CreateSession{milliseconds{900}, true}}).reply;
  CHECK(first.secret.size() == kSecretBytes);
  CHECK(ring.last_txn().ops.size() == 2);
  const Reply second = ring.run({SessionId{}, CreateSession{}}).reply;
  CHECK(ring.last_txn().ops.size() == 1);
  CHECK(first.secret != second.secret);
  CHECK(ring.registry().is_secret_of(first.session, first.secret));
  CHECK_FALSE(ring.registry().is_secret_of(second.session, first.secret));
  CHECK_FALSE(ring.registry().is_secret_of(first.session, {}));
  CHECK(ring.registry().session(first.session)->sidecar == Ring::kSelf);
  CHECK_FALSE(ring.registry().session(second.session)->sidecar);

  const auto loaded = Registry::load(ring.registry().snapshot());
  REQUIRE(loaded.has_value());
  CHECK(loaded->digest() == ring.registry().digest());
  CHECK(loaded->secret_of(first.session) == first.secret);
  CHECK(loaded->session(first.session)->sidecar == Ring::kSelf);
  // An observer holds no secret, and a member without one accepts none.
  const auto scope = Registry::load(ring.registry().snapshot(true));
  REQUIRE(scope.has_value());
  CHECK_FALSE(scope->has_secret());
  CHECK_FALSE(scope->is_secret_of(first.session, first.secret));
  CHECK_FALSE(scope->is_secret_of(first.session, {}));
}

TEST_CASE("AnObserverHearsTheSecretOfItsOwnSessionOnly") {
  Ring ring;
  const Txn txn = ring.propose({SessionId{}, CreateSession{}});
  CHECK_FALSE(scoped(txn, MemberId{99}).has_value());
  const auto own_part = scoped(txn, Ring::kSelf);
  REQUIRE(own_part.has_value());
  REQUIRE(own_part->ops.size() == 1);
  Registry observer = std::move(*Registry::load(Registry().snapshot(true)));
  const auto applied = observer.apply(Zxid{Epoch{1}, 5}, *own_part);
  REQUIRE(applied.has_value());
  CHECK(applied->reply.secret == ring.apply_one().reply.secret);
}

TEST_CASE("SecretsThatDoNotFitAreDivergence") {
  Ring ring;
  const Txn txn = ring.propose({SessionId{}, CreateSession{}});
  Txn wrong = txn;
  std::get<TxnCreateSession>(wrong.ops.back()).secret[3] ^= 1U;
  CHECK_FALSE(Registry().apply(ring.last(), wrong).has_value());
  wrong = txn;
  wrong.ops.erase(wrong.ops.begin());  // no secret of the ring
  CHECK_FALSE(Registry().apply(ring.last(), wrong).has_value());
  ring.apply_one();
  Txn again;
  again.ops = {TxnSetSecret{{3, 4}}};
  CHECK_FALSE(ring.registry().apply(ring.last().next(), again).has_value());
}

TEST_CASE("ASessionOfManyNodesEndsInSlicesInCreationOrder") {
  Ring ring;
  const SessionId session = ring.open_session();
  own(ring, session, 2 * kCloseSliceNodes + 10);
  const Applied marked = ring.run({session, CloseSession{}});
  CHECK(marked.changes.empty());
  CHECK(ring.last_txn().origin == Origin{});  // nobody hears of it yet
  CHECK(ring.registry().session(session)->closing);
  // From here on it is over for everybody.
  CHECK(ring.write(create("/p/late", CreateMode::kEphemeral), session).error ==
        ZkError::kSessionExpired);
  CHECK(ring.write(create("/plain"), session).error == ZkError::kSessionExpired);
  CHECK(ring.close_session(session) == ZkError::kSessionExpired);

  std::size_t next = 0;
  for (const std::size_t size : {kCloseSliceNodes, kCloseSliceNodes, std::size_t{10}}) {
    const Applied slice = ring.step_close(session);
    REQUIRE(slice.changes.size() == size);
    for (const Change& change : slice.changes) {
      REQUIRE(change.path == "/p/" + std::to_string(next++));
    }
    CHECK((ring.last_txn().origin.member == Ring::kSelf) == (size == 10));
  }
  CHECK_FALSE(ring.registry().session(session).has_value());
  CHECK(ring.registry().children("/p")->empty());
}

TEST_CASE("ASessionOfAsManyNodesAsOneSliceEndsAtOnce") {
  Ring ring;
  const SessionId session = ring.open_session();
  own(ring, session, kCloseSliceNodes);
  CHECK(ring.run({session, CloseSession{}}).changes.size() == kCloseSliceNodes);
  CHECK_FALSE(ring.registry().session(session).has_value());
}

TEST_CASE("SlicesAreBoundedInBytesToo") {
  Ring ring;
  const SessionId session = ring.open_session();
  const std::string deep = "/" + std::string(900, 'd');
  ring.write(create(deep));
  for (int i = 0; i < 600; ++i) {
    ring.write(create(deep + "/" + std::to_string(i), CreateMode::kEphemeral), session);
  }
  ring.run({session, CloseSession{}});
  const std::size_t fit = kCloseSliceBytes / 905;  // the longest paths
  CHECK(ring.step_close(session).changes.size() == fit);
  CHECK(ring.step_close(session).changes.size() == fit);
  CHECK(ring.step_close(session).changes.size() == 600 - 2 * fit);
}

TEST_CASE("WhatOthersDeleteWhileASessionEndsIsNotNamedAgain") {
  Ring ring;
  const SessionId session = ring.open_session();
  own(ring, session, kCloseSliceNodes + 100);
  ring.propose({session, CloseSession{}});
  CHECK(ring.write(set("/p/5", "x")).error == ZkError::kOk);  // closing, but there
  ring.propose({SessionId{}, Multi{{remove("/p/0")}}});       // outstanding
  while (ring.outstanding() > 0) {
    ring.apply_one();
  }
  CHECK(ring.step_close(session).changes.front().path == "/p/1");
  CHECK(ring.write(remove("/p/1100")).error == ZkError::kOk);
  CHECK(ring.step_close(session).changes.size() == 98);
  CHECK_FALSE(ring.registry().session(session).has_value());
}

TEST_CASE("SlicesThatDoNotNameTheOldestAreDivergence") {
  Ring ring;
  const SessionId session = ring.open_session();
  own(ring, session, 5);
  const auto refused = [&](TxnOp op) {
    Txn txn;
    txn.ops = {std::move(op)};
    return !ring.registry().apply(ring.last().next(), txn).has_value();
  };
  CHECK(refused(TxnCloseSlice{session, {"/p/1"}}));
  CHECK(refused(TxnCloseSlice{session, {"/p/1", "/p/0"}}));
  CHECK(refused(TxnCloseSlice{SessionId{77}, {}}));
  CHECK(refused(TxnCloseSession{session, {"/p/0", "/p/1"}}));  // others are left
}

TEST_CASE("ASnapshotKnowsThatASessionIsClosing") {
  Ring ring;
  const SessionId session = ring.open_session();
  own(ring, session, kCloseSliceNodes + 1);
  ring.run({session, CloseSession{}});
  ring.step_close(session);
  const auto loaded = Registry::load(ring.registry().snapshot());
  REQUIRE(loaded.has_value());
  CHECK(loaded->session(session)->closing);
  CHECK(loaded->digest() == ring.registry().digest());
  Preparer next(*loaded, Ring::kRingSecret);  // of a leader after this one
  CHECK_FALSE(next.session_open(session));
  const Txn last = next.continue_closing(session, {}, ring.last().next(), {});
  CHECK(std::get<TxnCloseSession>(last.ops.at(0)).ephemerals ==
        std::vector<std::string>{"/p/" + std::to_string(kCloseSliceNodes)});
}

TEST_CASE("AScopedFeedOfSlicesGivesTheScopeOfTheTree") {
  Ring ring;
  const SessionId session = ring.open_session();
  ring.write(create_deep("/ringside/s"));
  own(ring, session, kCloseSliceNodes);
  ring.write(create("/ringside/s/a", CreateMode::kEphemeral), session);
  ring.write(create("/ringside/s/b", CreateMode::kEphemeral), session);
  Registry observer = std::move(*Registry::load(ring.registry().snapshot(true)));
  ring.run({session, CloseSession{}});
  CHECK_FALSE(scoped(ring.last_txn(), MemberId{}).has_value());
  while (ring.registry().session(session)) {
    ring.step_close(session);
    if (const auto part = scoped(ring.last_txn(), MemberId{})) {
      REQUIRE(observer.apply(ring.last(), *part).has_value());
    }
  }
  CHECK(observer.scope_digest() == ring.registry().scope_digest());
  CHECK(observer.children("/ringside/s")->empty());
}

}  // namespace
}  // namespace ringside::coord::test
