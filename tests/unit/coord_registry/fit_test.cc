// What does not fit is refused before anything changes, and failed requests leave nothing behind.
#include "coord/registry/data_tree.h"
#include "coord/registry/hash.h"
#include "coord/registry/sequence.h"
#include "tests/unit/coord_registry/forgery.h"
#include "tests/unit/coord_registry/ring.h"

namespace ringside::coord::test {
namespace {

TxnCreateNode made(std::string path, std::int32_t parent_cversion, SessionId owner = {}) {
  TxnCreateNode op;
  op.path = std::move(path);
  op.parent_cversion = parent_cversion;
  op.ephemeral_owner = owner;
  return op;
}

TEST_CASE("D13AnUnfitTransactionChangesNothing") {
  Ring ring;
  const SessionId session = ring.open_session();
  ring.multi({create("/p"), create("/p/c")});
  ring.write(create("/e", CreateMode::kEphemeral), session);
  const SessionId unknown{77};
  const std::vector<TxnOp> unfit{
      made("/p", 3),
      made("/q", 2),            // the root has made 2
      made("/q", 4),            // so this is one too many
      made("/missing/q", 1),    //
      made("/e/q", 1),          // below an ephemeral
      made("/q/", 3),           //
      made("/", 3),             //
      made("", 3),              //
      made("/q", 3, unknown),   //
      TxnDeleteNode{"/p"},      // has a child
      TxnDeleteNode{"/q"},      //
      TxnDeleteNode{"/"},       //
      TxnDeleteNode{"p"},       //
      TxnSetData{"/p", {}, 0},  // it has version 0, so 1 is next
      TxnSetData{"/p", {}, 2},  //
      TxnSetData{"/q", {}, 1},  //
      TxnCreateSession{session, milliseconds{1}},
      TxnCreateSession{SessionId{}, milliseconds{1}},
      TxnCreateSession{unknown, milliseconds{0}},
      TxnCloseSession{unknown, {}},
      TxnCloseSession{session, {}},  // it has an ephemeral
      TxnCloseSession{session, {"/p"}},
      TxnCloseSession{session, {"/e", "/e"}},
  };
  const Bytes before = ring.registry().snapshot();
  for (std::size_t i = 0; i < unfit.size(); ++i) {
    CAPTURE(i);
    Txn txn;  // what fits comes first and must not stay
    txn.ops = {TxnSetData{"/p/c", bytes("new"), 1}, unfit[i]};
    const auto applied = ring.registry().apply(ring.last().next(), txn);
    REQUIRE_FALSE(applied.has_value());
    CHECK(applied.error().code == ErrorCode::kCorrupt);
    CHECK(applied.error().message.find("does not fit") != std::string::npos);
    CHECK(ring.registry().snapshot() == before);
  }
}

TEST_CASE("AZxidIsAppliedOnceAndInOrder") {
  Ring ring;
  ring.write(create("/a"));
  CHECK_FALSE(ring.registry().apply(ring.last(), Txn{}).has_value());
  CHECK_FALSE(ring.registry().apply(Zxid{}, Txn{}).has_value());
  CHECK(ring.registry().apply(ring.last().next(), Txn{}).has_value());
}

TEST_CASE("AFailedTransactionWithOperationsIsCorrupt") {
  Ring ring;
  Txn txn;
  txn.error = ZkError::kNoNode;
  txn.ops = {made("/a", 1)};
  CHECK_FALSE(ring.registry().apply(ring.last().next(), txn).has_value());
}

TEST_CASE("Zk1624AFailedMultiLeavesNoTraceInWhatIsOutstanding") {
  Ring ring;
  ring.write(create("/p"));
  const SessionId session = ring.open_session();
  // Both are prepared before either is applied.
  const Txn failed =
      ring.propose({session, Multi{{create("/p/n", CreateMode::kEphemeralSequential),
                                    set("/p", "x"), remove("/p/n0000000000"),
                                    create("/p/k", CreateMode::kEphemeral), check("/p", 9)}}});
  CHECK(failed.error == ZkError::kBadVersion);
  CHECK(failed.ops.empty());
  const Txn next = ring.propose(
      {session, Multi{{create("/p/n", CreateMode::kPersistentSequential), set("/p", "y", 0)}}});
  REQUIRE(next.error == ZkError::kOk);
  CHECK(next.results[0].path == "/p/n0000000000");
  const Txn closed = ring.propose({session, CloseSession{}});
  CHECK(std::get<TxnCloseSession>(closed.ops.at(0)).ephemerals.empty());
  while (ring.outstanding() != 0) {
    ring.apply_one();
  }
  CHECK(ring.stat("/p").version == 1);
  CHECK(ring.stat("/p").cversion == 1);
}

TEST_CASE("CloseListsOutstandingCreatesAndNotOutstandingDeletes") {
  Ring ring;
  const SessionId session = ring.open_session();
  ring.multi({create("/a", CreateMode::kEphemeral), create("/b", CreateMode::kEphemeral),
              create("/c", CreateMode::kEphemeral)},
             session);
  ring.propose({session, Multi{{remove("/b")}}});
  ring.propose({session, Multi{{create("/d", CreateMode::kEphemeral)}}});
  ring.propose({session, Multi{{remove("/a"), create("/a", CreateMode::kEphemeral)}}});
  ring.propose({session, Multi{{create("/b")}}});  // persistent now
  ring.apply_one();                                // the delete of /b
  const Txn closed = ring.propose({session, CloseSession{}});
  CHECK(std::get<TxnCloseSession>(closed.ops.at(0)).ephemerals ==
        std::vector<std::string>{"/c", "/d", "/a"});
  CHECK(ring.propose({session, Multi{{create("/x")}}}).error == ZkError::kSessionExpired);
  CHECK(ring.propose({session, CloseSession{}}).error == ZkError::kSessionExpired);
  while (ring.outstanding() != 0) {
    ring.apply_one();
  }
  CHECK(ring.registry().children("/") == std::vector<std::string>{"b"});
}

TEST_CASE("ASessionOfAnOutstandingProposalMayWriteAtOnce") {
  Ring ring;
  const Txn opened = ring.propose({SessionId{}, CreateSession{milliseconds{500}}});
  const SessionId session = std::get<TxnCreateSession>(opened.ops.back()).session;
  CHECK(ring.propose({session, Multi{{create("/e", CreateMode::kEphemeral)}}}).error ==
        ZkError::kOk);
  ring.apply_one();
  ring.apply_one();
  CHECK(ring.stat("/e").ephemeral_owner == session);
}

TEST_CASE("AUsedSessionIdIsDrawnAgain") {
  Registry registry;
  Preparer preparer(registry, Ring::kRingSecret);
  const std::vector<std::uint64_t> draws{5, 0, 5, 6};
  std::size_t drawn = 0;
  const auto draw = [&] { return SessionId{draws[drawn++]}; };
  const Request open{SessionId{}, CreateSession{}};
  const Zxid first{Epoch{1}, 1};
  const auto session_of = [](const Txn& txn) {
    return std::get<TxnCreateSession>(txn.ops.back()).session;
  };
  CHECK(session_of(preparer.prepare(open, {}, first, {}, draw)) == SessionId{5});
  CHECK(session_of(preparer.prepare(open, {}, first.next(), {}, draw)) == SessionId{6});
  const auto stuck = [] { return SessionId{5}; };
  CHECK(preparer.prepare(open, {}, first.next().next(), {}, stuck).error == ZkError::kSystemError);
}

TEST_CASE("ASpentSequenceCounterIsRefusedNotWrapped") {
  // No test makes 2^31 children: the counter is written into a snapshot.
  auto loaded =
      Registry::load(Forgery::tree({{.slot = 1, .name = "p", .creates = kLastCreates}}).bytes());
  REQUIRE(loaded.has_value());
  Preparer preparer(*loaded, Ring::kRingSecret);
  const auto run = [&](WriteOp op, Zxid zxid) {
    const Txn made_txn = preparer.prepare({SessionId{}, Multi{{std::move(op)}}}, {}, zxid, {}, {});
    REQUIRE(loaded->apply(zxid, made_txn).has_value());
    preparer.applied(zxid);
    return made_txn.error;
  };
  CHECK(run(create("/p/n", CreateMode::kPersistentSequential), Zxid{101}) ==
        ZkError::kBadArguments);
  CHECK(run(create("/p/plain"), Zxid{102}) == ZkError::kOk);
  CHECK(run(create("/p/n", CreateMode::kPersistentSequential), Zxid{103}) ==
        ZkError::kBadArguments);
}

TEST_CASE("SipHashMatchesThePublishedVector") {
  Bytes input;
  for (std::uint8_t i = 0; i < 15; ++i) {
    input.push_back(i);
  }
  CHECK(hash_bytes(input) == 0xa129ca6149be45e5U);  // the paper's appendix A
  CHECK(hash_words(std::vector<std::uint64_t>{0x0706050403020100U}) ==
        hash_bytes(ByteView(input).first(8)));
}

TEST_CASE("TheDigestDoesNotDependOnTheOrderOfInsertion") {
  const auto build = [](const std::vector<std::string>& names) {
    DataTree tree;
    const DataTree::Facts facts{.czxid = Zxid{1}, .mzxid = Zxid{2}, .pzxid = Zxid{3}};
    for (const std::string& name : names) {
      tree.add(*tree.root(), "/" + name, name + " data", facts, 5, Zxid{9});
    }
    return std::pair(tree.digest(), tree.scope_digest());
  };
  CHECK(build({"a", "b", "ringside"}) == build({"ringside", "b", "a"}));
  CHECK(build({"a", "b", "ringside"}) != build({"a", "c", "ringside"}));
  CHECK(build({"a", "ringside"}).second == build({"b", "ringside"}).second);
}

TEST_CASE("EveryFieldCountsInTheDigest") {
  using Edit = void (*)(DataTree::Facts&);
  const std::vector<Edit> edits{
      [](DataTree::Facts& f) { f.czxid = Zxid{8}; },
      [](DataTree::Facts& f) { f.mzxid = Zxid{8}; },
      [](DataTree::Facts& f) { f.pzxid = Zxid{8}; },
      [](DataTree::Facts& f) { f.ctime += milliseconds{1}; },
      [](DataTree::Facts& f) { f.mtime += milliseconds{1}; },
      [](DataTree::Facts& f) { f.version = 8; },
      [](DataTree::Facts& f) { f.creates = 8; },
  };
  const auto built = [](const DataTree::Facts& facts) {
    DataTree tree;
    tree.add(*tree.root(), "/ringside", "d", facts, 1, Zxid{1});
    return std::pair(tree.digest(), tree.scope_digest());
  };
  for (const Edit edit : edits) {
    DataTree::Facts facts;
    edit(facts);
    CHECK(built(facts).first != built({}).first);
    CHECK(built(facts).second != built({}).second);
  }
  DataTree tree;
  Node& node = tree.add(*tree.root(), "/ringside", "d", {}, 1, Zxid{1});
  const std::uint64_t before = tree.digest();
  tree.set_data(node, "e", 0, Zxid{}, {});
  CHECK(tree.digest() != before);
  tree.set_data(node, "d", 0, Zxid{}, {});
  CHECK(tree.digest() == before);
  tree.set_owner(node, SessionId{4});
  CHECK(tree.digest() != before);
}

TEST_CASE("NodesAreFoundWhateverComesAndGoes") {
  DataTree tree;
  std::vector<std::string> paths;
  for (int i = 0; i < 5000; ++i) {
    paths.push_back("/n" + std::to_string(i));
    tree.add(*tree.root(), paths.back(), "", {}, i + 1, Zxid{});
  }
  for (std::size_t i = 0; i < paths.size(); i += 3) {
    tree.remove(*tree.find(paths[i]), Zxid{});
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Node* node = tree.find(paths[i]);
    REQUIRE((node != nullptr) == (i % 3 != 0));
    REQUIRE((node == nullptr || tree.path_of(*node) == paths[i]));
  }
  CHECK(tree.find("n1") == nullptr);
  CHECK(tree.find("/n1/") == nullptr);
  CHECK(tree.find("") == nullptr);
  CHECK(tree.find("/") == tree.root());
}

TEST_CASE("HashesThatCollideCostTimeNotMemory") {
  // Forty first bits in common: split by these alone, the directory would have 2^41 entries.
  NodeSlab nodes;
  NodeIndex index(nodes);
  std::vector<Node*> all;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    all.push_back(&nodes.take());
    all.back()->path_hash = std::uint64_t{0xabcdef} << 40U | i;
    index.insert(*all.back());
  }
  const auto any = [](const Node&) { return true; };
  for (std::size_t i = 0; i < all.size(); i += 2) {
    index.erase(*all[i]);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(index.find(all[i]->path_hash, any) == (i % 2 == 0 ? nullptr : all[i]));
  }
}

}  // namespace
}  // namespace ringside::coord::test
