// The rules of coordination facts 4.1 and 4.3, one by one.
#include "coord/registry/path.h"
#include "coord/registry/sequence.h"
#include "tests/unit/coord_registry/ring.h"

namespace ringside::coord::test {
namespace {

TEST_CASE("PathRulesAreZooKeepers") {
  struct Row {
    std::string path;
    bool valid;
  };
  const std::vector<Row> rows{
      {"/", true},
      {"/a", true},
      {"/a/b.c/..d", true},
      {"/\xc3\xa9\xe2\x82\xac", true},  // é, €
      {"/\xef\xbf\xaf", true},          // U+FFEF
      {"", false},
      {"a", false},
      {"a/", false},
      {"/a/", false},
      {"//", false},
      {"/a//b", false},
      {"/.", false},
      {"/..", false},
      {"/a/./b", false},
      {"/a/../b", false},
      {std::string("/a\0b", 4), false},
      {"/a\x1f", false},
      {"/a\x7f", false},
      {"/\xc2\x80", false},          // U+0080
      {"/\xc2\x9f", false},          // U+009F
      {"/\xc2\xa0", true},           // U+00A0
      {"/\xed\xa0\x80", false},      // a surrogate
      {"/\xee\x80\x80", false},      // U+E000, private use
      {"/\xef\xa3\xbf", false},      // U+F8FF
      {"/\xef\xa4\x80", true},       // U+F900
      {"/\xef\xbf\xb0", false},      // U+FFF0
      {"/\xf0\x9f\x98\x80", false},  // past U+FFFF
      {"/\xc0\xaf", false},          // overlong slash
      {"/\xe0\x80\xaf", false},      // overlong slash
      {"/\xc3", false},              // cut short
      {"/\xe2\x82", false},          // cut short
      {"/\x80", false},              // a continuation alone
      {"/" + std::string(kMaxPathBytes - 1, 'x'), true},
      {"/" + std::string(kMaxPathBytes, 'x'), false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(valid_path(row.path) == row.valid);
    Ring ring;
    const ZkError error = ring.write(create(row.path)).error;
    const ZkError wanted = row.path == "/" ? ZkError::kNodeExists
                           : row.valid
                               ? (row.path.rfind('/') == 0 ? ZkError::kOk : ZkError::kNoNode)
                               : ZkError::kBadArguments;
    CHECK(error == wanted);
  }
}

TEST_CASE("PartsOfAPath") {
  CHECK(parent_path("/") == "");
  CHECK(parent_path("/a") == "/");
  CHECK(parent_path("/a/b") == "/a");
  CHECK(last_name("/a/b") == "b");
  CHECK(in_scope("/ringside"));
  CHECK(in_scope("/ringside/x"));
  CHECK_FALSE(in_scope("/ringsidex"));
  CHECK_FALSE(in_scope("/"));
}

TEST_CASE("CountersEndAsDecided") {
  CHECK(next_creates(0) == 1);
  CHECK(next_creates(kLastCreates) == kLastCreates);
  CHECK(next_version(-2) == -1);  // ZooKeeper does not skip it
  CHECK(next_version(kLastCreates) == std::numeric_limits<std::int32_t>::min());
  CHECK(sequence_suffix(7) == "0000000007");
  CHECK(sequence_suffix(kLastCreates) == "2147483647");
}

TEST_CASE("ErrorsComeInZooKeepersOrder") {
  Ring ring;
  const SessionId session = ring.open_session();
  ring.multi({create("/p"), create("/p/c", CreateMode::kPersistent, "1"), set("/p", "x")});
  REQUIRE(ring.write(create("/e", CreateMode::kEphemeral), session).error == ZkError::kOk);
  struct Row {
    WriteOp op;
    SessionId session;
    ZkError error;
  };
  const SessionId stranger{99};
  const SessionId nobody{};
  const std::vector<Row> rows{
      {create("/x/"), stranger, ZkError::kSessionExpired},
      {create("/x"), stranger, ZkError::kSessionExpired},
      {create("/x", CreateMode::kEphemeral), nobody, ZkError::kBadArguments},
      {create("/missing/x"), session, ZkError::kNoNode},
      {create("/missing/"), session, ZkError::kBadArguments},
      {create("/p"), session, ZkError::kNodeExists},
      {create("/"), session, ZkError::kNodeExists},
      {create("/e/x"), session, ZkError::kNoChildrenForEphemerals},
      {create_deep("/e/x/y"), session, ZkError::kNoChildrenForEphemerals},
      {remove("/"), session, ZkError::kBadArguments},
      {remove("p"), session, ZkError::kBadArguments},
      {remove("/missing", 3), session, ZkError::kNoNode},
      {remove("/missing", 3, true), session, ZkError::kOk},
      {remove("/p", 5), session, ZkError::kBadVersion},
      {remove("/p", 1), session, ZkError::kNotEmpty},
      {remove("/p", 5, true), session, ZkError::kBadVersion},
      {set("/missing", ""), session, ZkError::kNoNode},
      {set("/p", "", 0), session, ZkError::kBadVersion},
      {set("", "", 0), session, ZkError::kBadArguments},
      {check("/missing"), session, ZkError::kNoNode},
      {check("/p", 0), session, ZkError::kBadVersion},
      {check("/p", 1), session, ZkError::kOk},
      {check("/p"), session, ZkError::kOk},
      {set("/", "root data"), session, ZkError::kOk},
  };
  for (const Row& row : rows) {
    CAPTURE(row.op.index());
    CAPTURE(std::visit([](const auto& op) { return op.path; }, row.op));
    CHECK(to_string(ring.write(row.op, row.session).error) == to_string(row.error));
  }
}

TEST_CASE("StatFollowsZooKeeper") {
  Ring ring;
  const SessionId session = ring.open_session();
  const OpResult made = ring.write(create("/p", CreateMode::kPersistent, "abc"));
  const Zxid born = ring.last();
  Stat wanted;
  wanted.czxid = wanted.mzxid = wanted.pzxid = born;
  wanted.ctime = wanted.mtime = WallTime{milliseconds{2}};
  wanted.data_length = 3;
  CHECK(made.stat == wanted);
  CHECK(made.path == "/p");
  CHECK(ring.stat("/p") == wanted);

  ring.write(create("/p/a", CreateMode::kEphemeral), session);
  wanted.cversion = 1;  // one create
  wanted.num_children = 1;
  wanted.pzxid = ring.last();
  CHECK(ring.stat("/p") == wanted);
  CHECK(ring.stat("/p/a").ephemeral_owner == session);

  const OpResult changed = ring.write(set("/p", "abcd", 0));
  wanted.version = 1;
  wanted.mzxid = ring.last();
  wanted.mtime = WallTime{milliseconds{4}};
  wanted.data_length = 4;
  CHECK(changed.stat == wanted);

  ring.write(remove("/p/a"));
  wanted.cversion = 2;  // a create and a delete
  wanted.num_children = 0;
  wanted.pzxid = ring.last();
  CHECK(ring.stat("/p") == wanted);

  ring.write(set("/p", "", 7));  // fails: takes a zxid, changes nothing
  CHECK(ring.stat("/p") == wanted);
  CHECK(ring.registry().applied() == ring.last());
}

TEST_CASE("SequenceNumbersAreTheParentsCreateCount") {
  Ring ring;
  ring.write(create("/q"));
  ring.write(create("/q/plain"));
  CHECK(ring.write(create("/q/n-", CreateMode::kPersistentSequential)).path == "/q/n-0000000001");
  ring.write(remove("/q/plain"));
  ring.write(remove("/q/n-0000000001"));  // deletes do not count
  CHECK(ring.write(create("/q/other", CreateMode::kPersistentSequential)).path ==
        "/q/other0000000002");
  CHECK(ring.write(create("/q/", CreateMode::kPersistentSequential)).path == "/q/0000000003");
  CHECK(ring.write(create("/", CreateMode::kPersistentSequential)).path == "/0000000001");
}

TEST_CASE("OneTransactionNumbersItsSequentialsOneAfterTheOther") {
  Ring ring;
  const Reply reply = ring.multi({create("/q"), create("/q/a", CreateMode::kPersistentSequential),
                                  create("/q/a", CreateMode::kPersistentSequential)});
  REQUIRE(reply.results.size() == 3);
  CHECK(reply.results[1].path == "/q/a0000000000");
  CHECK(reply.results[2].path == "/q/a0000000001");
}

TEST_CASE("MadeParentsArePersistentAndEmpty") {
  Ring ring;
  const SessionId session = ring.open_session();
  const Applied applied =
      ring.run({session, Multi{{create_deep("/a/b/c", CreateMode::kEphemeralSequential)}}});
  REQUIRE(applied.reply.results.size() == 1);
  CHECK(applied.reply.results[0].path == "/a/b/c0000000000");
  CHECK(applied.reply.results[0].stat == ring.stat("/a/b/c0000000000"));
  CHECK(ring.stat("/a").ephemeral_owner == SessionId{});
  CHECK(ring.stat("/a/b").cversion == 1);
  REQUIRE(applied.changes.size() == 3);
  CHECK(applied.changes[0].path == "/a");
  CHECK(applied.changes[2].path == "/a/b/c0000000000");
}

TEST_CASE("AFailedMultiAnswersLikeZooKeeper") {
  Ring ring;
  const Reply reply = ring.multi({create("/a"), check("/a", 4), create("/b"), create("/c")});
  CHECK(reply.error == ZkError::kBadVersion);
  REQUIRE(reply.results.size() == 4);
  CHECK(reply.results[0].error == ZkError::kOk);
  CHECK(reply.results[0].path.empty());
  CHECK(reply.results[1].error == ZkError::kBadVersion);
  CHECK(reply.results[2].error == ZkError::kRuntimeInconsistency);
  CHECK(reply.results[3].error == ZkError::kRuntimeInconsistency);
  CHECK(ring.registry().znodes() == 1);
}

TEST_CASE("MultiStatsAreThoseOfTheMoment") {
  Ring ring;
  const Reply reply =
      ring.multi({create("/a"), set("/a", "12"), check("/a"), create("/a/b"), set("/a", "345")});
  REQUIRE(reply.results.size() == 5);
  CHECK(reply.results[0].stat.data_length == 0);
  CHECK(reply.results[0].stat.num_children == 0);
  CHECK(reply.results[1].stat.data_length == 2);
  CHECK(reply.results[2].stat == Stat{});
  CHECK(reply.results[4].stat.num_children == 1);
  CHECK(reply.results[4].stat == ring.stat("/a"));
}

TEST_CASE("WhatIsOverABoundIsRefused") {
  Ring ring;
  ring.write(create("/a"));
  Multi too_many;
  too_many.ops.assign(kMaxMultiOps + 1, check("/a"));
  CHECK(ring.run({SessionId{}, too_many}).reply.error == ZkError::kBadArguments);
  too_many.ops.pop_back();
  CHECK(ring.run({SessionId{}, too_many}).reply.error == ZkError::kOk);
  CHECK(ring.write(set("/a", std::string(kMaxDataBytes + 1, 'x'))).error == ZkError::kBadArguments);
  CHECK(ring.write(set("/a", std::string(kMaxDataBytes, 'x'))).error == ZkError::kOk);
  const std::string big(kMaxDataBytes, 'x');
  CHECK(ring.multi({set("/a", big), set("/a", big)}).error == ZkError::kBadArguments);
  CHECK(ring.run({SessionId{}, CreateSession{milliseconds{0}}}).reply.error ==
        ZkError::kBadArguments);
  CHECK(ring.run({SessionId{}, CreateSession{kMaxSessionTimeout + milliseconds{1}}}).reply.error ==
        ZkError::kBadArguments);
  Multi deep;  // few bytes asked for, many nodes made
  for (int i = 0; i < 60; ++i) {
    std::string path = "/d" + std::to_string(i);
    for (int level = 0; level < 200; ++level) {
      path += "/x";
    }
    deep.ops.push_back(create_deep(path));
  }
  CHECK(ring.run({SessionId{}, deep}).reply.error == ZkError::kBadArguments);
  CHECK(ring.registry().znodes() == 2);
}

TEST_CASE("ASessionTakesItsEphemeralsAlongInCreationOrder") {
  Ring ring;
  const SessionId session = ring.open_session(milliseconds{4000});
  const SessionId other = ring.open_session();
  REQUIRE(ring.registry().session(session).has_value());
  CHECK(ring.registry().session(session)->timeout == milliseconds{4000});
  ring.multi({create("/z", CreateMode::kEphemeral), create("/b", CreateMode::kEphemeral)}, session);
  ring.write(create("/o", CreateMode::kEphemeral), other);
  ring.write(create("/a", CreateMode::kEphemeral), session);
  ring.multi({remove("/z"), create("/z", CreateMode::kEphemeral)}, session);
  CHECK(ring.registry().ephemerals(session) == std::vector<std::string>{"/b", "/a", "/z"});
  const Applied applied = ring.run({session, CloseSession{}});
  REQUIRE(applied.changes.size() == 3);
  CHECK(applied.changes[0].path == "/b");
  CHECK(applied.changes[1].path == "/a");
  CHECK(applied.changes[2].path == "/z");
  CHECK(ring.registry().children("/") == std::vector<std::string>{"o"});
  CHECK_FALSE(ring.registry().session(session).has_value());
  CHECK(ring.close_session(session) == ZkError::kSessionExpired);
  CHECK(ring.registry().sessions().size() == 1);
}

TEST_CASE("NamesOfErrorsAndKnownNumbers") {
  CHECK(std::string(to_string(ZkError::kNoNode)) == "no_node");
  CHECK(std::string(to_string(ZkError::kSessionExpired)) == "session_expired");
  CHECK(known(ZkError::kNotEmpty));
  CHECK_FALSE(known(static_cast<ZkError>(-3)));
  CHECK_FALSE(known(static_cast<ZkError>(1)));
}

}  // namespace
}  // namespace ringside::coord::test
