// Bytes of transactions, requests and snapshots: there and back, and whatever else comes in.
#include <algorithm>

#include "tests/unit/coord_registry/random_requests.h"
#include "tests/unit/coord_registry/same_state.h"

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
  require_same_state(*scope, loaded(scope->snapshot()));
}

}  // namespace
}  // namespace ringside::coord::test
