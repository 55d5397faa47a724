// Bytes of transactions, requests and snapshots: there and back, and whatever else comes in.
#include <algorithm>

#include "tests/unit/coord_registry/random_requests.h"

namespace ringside::coord::test {
namespace {

Txn full_txn() {
  Txn txn;
  txn.origin = {MemberId{kMinObserverId + 5}, RequestId{77}};
  txn.session = SessionId{0xfedcba9876543210U};
  txn.time = WallTime{milliseconds{-5}};
  TxnCreateNode node;
  node.path = "/a/b";
  node.data = bytes("data");
  node.ephemeral_owner = SessionId{9};
  node.parent_cversion = 12;
  txn.ops = {node,
             TxnDeleteNode{"/c"},
             TxnSetData{"/d", bytes("x"), -1},
             TxnCreateSession{SessionId{3}, milliseconds{4000}},
             TxnCloseSession{SessionId{4}, {"/e", "/f/g"}},
             TxnSetSecret{{5, 6}},
             TxnCloseSlice{SessionId{8}, {"/h"}}};
  std::get<TxnCreateSession>(txn.ops[3]).sidecar = MemberId{2};
  std::get<TxnCreateSession>(txn.ops[3]).secret = Bytes(kSecretBytes, 7);
  txn.results = {{ZkError::kOk, "/a/b", {}}, {ZkError::kNotEmpty, "", {}}};
  return txn;
}

Request full_request() {
  Create deep = create_deep("/a/n-", CreateMode::kEphemeralSequential);
  deep.data = bytes("zzz");
  return {SessionId{5},
          Multi{{deep, remove("/b", 3, true), set("/c", "data", -7), check("/d", 9)}}};
}

TEST_CASE("ATransactionComesBackAsItWas") {
  const Txn txn = full_txn();
  const Bytes encoded = encode_txn(txn);
  const auto back = decode_txn(encoded);
  REQUIRE(back.has_value());
  CHECK(encode_txn(*back) == encoded);
  CHECK(back->origin == txn.origin);
  CHECK(back->session == txn.session);
  CHECK(back->time == txn.time);
  REQUIRE(back->ops.size() == 7);
  const auto& node = std::get<TxnCreateNode>(back->ops[0]);
  CHECK(node.path == "/a/b");
  CHECK(node.data == bytes("data"));
  CHECK(node.ephemeral_owner == SessionId{9});
  CHECK(node.parent_cversion == 12);
  CHECK(std::get<TxnDeleteNode>(back->ops[1]).path == "/c");
  CHECK(std::get<TxnSetData>(back->ops[2]).version == -1);
  CHECK(std::get<TxnCreateSession>(back->ops[3]).timeout == milliseconds{4000});
  CHECK(std::get<TxnCreateSession>(back->ops[3]).sidecar == MemberId{2});
  CHECK(std::get<TxnCreateSession>(back->ops[3]).secret == Bytes(kSecretBytes, 7));
  CHECK(std::get<TxnCloseSession>(back->ops[4]).ephemerals.at(1) == "/f/g");
  CHECK(std::get<TxnSetSecret>(back->ops[5]).secret == RingSecret{5, 6});
  CHECK(std::get<TxnCloseSlice>(back->ops[6]).ephemerals.at(0) == "/h");
  REQUIRE(back->results.size() == 2);
  CHECK(back->results[0].path == "/a/b");
  CHECK(back->results[1].error == ZkError::kNotEmpty);
}

TEST_CASE("ARequestComesBackAsItWas") {
  const Bytes encoded = encode_request(full_request());
  const auto back = decode_request(encoded);
  REQUIRE(back.has_value());
  CHECK(encode_request(*back) == encoded);
  CHECK(back->session == SessionId{5});
  const auto& ops = std::get<Multi>(back->what).ops;
  REQUIRE(ops.size() == 4);
  CHECK(std::get<Create>(ops[0]).make_parents);
  CHECK(std::get<Create>(ops[0]).mode == CreateMode::kEphemeralSequential);
  CHECK(std::get<Create>(ops[0]).data == bytes("zzz"));
  CHECK(std::get<Delete>(ops[1]).missing_is_ok);
  CHECK(std::get<Delete>(ops[1]).version == 3);
  CHECK(std::get<SetData>(ops[2]).version == -7);
  CHECK(std::get<CheckVersion>(ops[3]).path == "/d");
  for (const Request& request :
       {Request{SessionId{1}, CloseSession{}}, Request{SessionId{2}, Sync{}},
        Request{SessionId{}, CreateSession{milliseconds{9}, true}},
        Request{SessionId{3}, ResumeSession{Bytes(kSecretBytes, 9)}},
        Request{SessionId{}, Routed{Zxid{77}}}}) {
    const auto other = decode_request(encode_request(request));
    REQUIRE(other.has_value());
    CHECK(other->what.index() == request.what.index());
    CHECK(other->session == request.session);
    CHECK(encode_request(*other) == encode_request(request));
  }
}

// Each cut is refused; each changed byte is refused or read as something that encodes to the same
// bytes again, so that no two readings of one log exist.
template <typename Decode, typename Encode>
void mangle(const Bytes& good, Decode decode, Encode encode) {
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const Bytes head(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut));
    REQUIRE_FALSE(decode(head).has_value());
  }
  Bytes longer = good;
  longer.push_back(0);
  REQUIRE_FALSE(decode(longer).has_value());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned change : {0x01U, 0x7fU, 0x80U, 0xffU}) {
      Bytes bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ change);
      if (const auto read = decode(bad)) {
        REQUIRE(encode(*read) == bad);
      }
    }
  }
}

TEST_CASE("CutOrChangedTransactionsAreRefusedOrExact") {
  mangle(encode_txn(full_txn()), decode_txn, encode_txn);
}

TEST_CASE("CutOrChangedRequestsAreRefusedOrExact") {
  mangle(encode_request(full_request()), decode_request, encode_request);
  mangle(encode_request({SessionId{1}, CreateSession{}}), decode_request, encode_request);
}

TEST_CASE("AnotherFormatIsNamedAsSuch") {
  Bytes txn = encode_txn(full_txn());
  txn[0] = kTxnFormat + 1;
  CHECK(decode_txn(txn).error().code == ErrorCode::kUnsupported);
  Bytes request = encode_request(full_request());
  request[0] = kRequestFormat + 1;
  CHECK(decode_request(request).error().code == ErrorCode::kUnsupported);
  Bytes snapshot = Registry().snapshot();
  snapshot[5] = 9;
  CHECK(Registry::load(snapshot).error().code == ErrorCode::kUnsupported);
}

void plant(Ring& ring) {
  const SessionId session = ring.open_session();
  ring.open_session();
  ring.multi({create("/ringside"), create("/ringside/a", CreateMode::kEphemeral, "data"),
              create("/ringside/b"), create("/z", CreateMode::kEphemeral)},
             session);
}

TEST_CASE("CutOrChangedSnapshotsAreRefusedOrExact") {
  for (const bool scope_only : {false, true}) {
    Ring ring;
    plant(ring);
    mangle(
        ring.registry().snapshot(scope_only), [](ByteView view) { return Registry::load(view); },
        [](const Registry& registry) { return registry.snapshot(); });
  }
}

TEST_CASE("ASnapshotComesBackWithItsSessionsAndOrder") {
  Ring ring;
  plant(ring);
  const auto loaded = Registry::load(ring.registry().snapshot());
  REQUIRE(loaded.has_value());
  CHECK(loaded->digest() == ring.registry().digest());
  CHECK(loaded->applied() == ring.registry().applied());
  CHECK(loaded->sessions().size() == 2);
  CHECK(loaded->ephemerals(SessionId{0x1001}) == std::vector<std::string>{"/ringside/a", "/z"});
  CHECK_FALSE(loaded->scoped());
}

TEST_CASE("AScopedRegistryShowsNothingElse") {
  Ring ring;
  plant(ring);
  const auto scope = Registry::load(ring.registry().snapshot(true));
  REQUIRE(scope.has_value());
  CHECK(scope->scoped());
  CHECK_FALSE(scope->get("/").has_value());
  CHECK_FALSE(scope->get("/z").has_value());
  CHECK_FALSE(scope->children("/").has_value());
  CHECK(scope->children("/ringside") == std::vector<std::string>{"a", "b"});
  CHECK(scope->get("/ringside")->stat == ring.stat("/ringside"));
  CHECK(scope->get("/ringside/a")->stat.ephemeral_owner == SessionId{0x1001});
  CHECK(scope->znodes() == 3);
  CHECK(scope->sessions().empty());
  CHECK(scope->snapshot() == ring.registry().snapshot(true));
}

// A snapshot put together by hand; `node` is a record without children unless told.
struct Forgery {
  ByteWriter out;
  bool of_scope;

  explicit Forgery(bool scoped = false) : of_scope(scoped) {
    out.u32(0x52534e50);
    out.u16(1);
    out.boolean(scoped);
    out.u64(100);
  }
  Forgery& node(std::string_view name, std::uint32_t children = 0, std::uint64_t czxid = 1,
                std::int32_t creates = 9) {
    out.u16(static_cast<std::uint16_t>(name.size()));
    out.raw(as_bytes(name));
    out.text("");
    for (const std::uint64_t zxid : {czxid, czxid, czxid}) {
      out.u64(zxid);
    }
    out.i64(0);
    out.i64(0);
    out.i32(0);
    out.i32(creates);
    out.u32(children);
    return *this;
  }
  Forgery& owner(std::uint64_t session, const std::vector<std::uint32_t>& numbers) {
    out.u64(session);
    out.u32(static_cast<std::uint32_t>(numbers.size()));
    for (const std::uint32_t number : numbers) {
      out.u32(number);
    }
    return *this;
  }
  Forgery& count(std::uint32_t number) {
    out.u32(number);
    return *this;
  }
  Forgery& session(std::uint64_t id, std::int64_t timeout_ms = 1) {
    out.u64(id);
    out.i64(timeout_ms);
    out.u64(0);
    out.boolean(false);
    return *this;
  }
  [[nodiscard]] bool loads() {
    out.u64(of_scope ? 0 : 7);  // the secret
    out.u64(0);
    return Registry::load(out.view()).has_value();
  }
};

TEST_CASE("LoadRefusesTreesThatCannotBe") {
  CHECK(Forgery().node("", 2).node("a").node("b").count(0).count(0).loads());
  CHECK(Forgery().node("", 1).node("a").count(1).owner(7, {1}).count(1).session(7).loads());
  // twice, or out of order
  CHECK_FALSE(Forgery().node("", 2).node("a").node("a").count(0).count(0).loads());
  CHECK_FALSE(Forgery().node("", 2).node("b").node("a").count(0).count(0).loads());
  // names
  CHECK_FALSE(Forgery().node("", 1).node("").count(0).count(0).loads());
  CHECK_FALSE(Forgery().node("", 1).node("a/b").count(0).count(0).loads());
  CHECK_FALSE(Forgery().node("", 1).node("..").count(0).count(0).loads());
  CHECK_FALSE(Forgery().node("root", 0).count(0).count(0).loads());
  // a zxid after the snapshot's, children never made
  CHECK_FALSE(Forgery().node("", 1).node("a", 0, 101).count(0).count(0).loads());
  CHECK_FALSE(Forgery().node("", 1, 1, 0).node("a").count(0).count(0).loads());
  CHECK_FALSE(Forgery().node("", 1).node("a", 0, 1, -1).count(0).count(0).loads());
  // ephemerals: without session, of two, twice, the root, with a child, not there, out of order
  CHECK_FALSE(Forgery().node("", 1).node("a").count(1).owner(7, {1}).count(0).loads());
  CHECK_FALSE(
      Forgery().node("", 1).node("a").count(2).owner(7, {1}).owner(8, {1}).count(0).loads());
  CHECK_FALSE(Forgery().node("", 1).node("a").count(1).owner(7, {1, 1}).count(0).loads());
  CHECK_FALSE(Forgery().node("", 0).count(1).owner(7, {0}).count(1).session(7).loads());
  CHECK_FALSE(Forgery()
                  .node("", 1)
                  .node("a", 1)
                  .node("b")
                  .count(1)
                  .owner(7, {1})
                  .count(1)
                  .session(7)
                  .loads());
  CHECK_FALSE(Forgery().node("", 1).node("a").count(1).owner(7, {2}).count(1).session(7).loads());
  CHECK_FALSE(Forgery()
                  .node("", 2)
                  .node("a", 0, 5)
                  .node("b", 0, 4)
                  .count(1)
                  .owner(7, {1, 2})
                  .count(1)
                  .session(7)
                  .loads());
  CHECK_FALSE(Forgery().node("", 1).node("a").count(1).owner(0, {1}).count(0).loads());
  // sessions
  CHECK_FALSE(Forgery().node("").count(0).count(1).session(0).loads());
  CHECK_FALSE(Forgery().node("").count(0).count(1).session(7, 0).loads());
  CHECK_FALSE(Forgery().node("").count(0).count(2).session(7).session(7).loads());
  CHECK_FALSE(Forgery().node("").count(0).count(2).session(8).session(7).loads());
  // the scope alone
  CHECK(Forgery(true).node("", 1, 0, 0).node("ringside").count(0).count(0).loads());
  CHECK_FALSE(Forgery(true).node("", 1).node("ringside").count(0).count(0).loads());
  CHECK_FALSE(Forgery(true).node("", 1, 0, 0).node("a").count(0).count(0).loads());
  CHECK_FALSE(
      Forgery(true).node("", 1, 0, 0).node("ringside").count(0).count(1).session(7).loads());
  CHECK(Registry::load({}).error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace ringside::coord::test
