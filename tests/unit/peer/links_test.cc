#include "tests/unit/peer/peer_fixture.h"

namespace ringside::peer::test {

TEST_CASE("TheGreaterIdDialsAndFramesFlowBothWays") {
  net::Loop loop;
  Hub one(loop, member(1));
  Hub two(loop, member(2), {one.as_voter()});
  run_until(loop, [&] { return one.handler.saw("up 2") && two.handler.saw("up 1"); });
  one.hub.send(coord::MemberId{2}, text_frame("ping"));
  two.hub.send(coord::MemberId{1}, text_frame("pong"));
  two.hub.send(coord::MemberId{7}, text_frame("nobody"));
  run_until(loop, [&] { return one.handler.saw("pong 2") && two.handler.saw("ping 1"); });
  CHECK(one.handler.events.size() == 2);
  CHECK(two.handler.events.size() == 2);
}

TEST_CASE("HubsThatHaveNothingToDoDoNotWakeUp") {
  net::Loop loop;
  Hub one(loop, member(1));
  Hub two(loop, member(2), {one.as_voter()});
  run_until(loop, [&] { return one.handler.saw("up 2") && two.handler.saw("up 1"); });
  int turns = 0;
  loop.turn(false);
  loop.observe_turns([&turns](Duration) { ++turns; });
  net::Timer wait(loop, [] {});
  wait.start(milliseconds{200});
  while (wait.active()) {
    loop.turn(true);
  }
  CHECK(turns == 1);  // of `wait`
}

TEST_CASE("FramesOfOneTurnArriveTogetherAndInOrder") {
  net::Loop loop;
  Hub one(loop, member(1));
  Raw two(loop, one);
  two.greet(2);
  run_until(loop, [&] { return one.handler.saw("up 2"); });
  const std::size_t reads = two.seen.events.size();
  two.seen.keep_bytes = true;
  for (const char* text : {"first", "second", "third"}) {
    one.hub.send(coord::MemberId{2}, text_frame(text));
  }
  run_until(loop, [&] { return two.seen.events.size() > reads; });
  CHECK(two.seen.events.size() == reads + 1);
  std::string expected;
  for (const char* text : {"first", "second", "third"}) {
    expected += as_text(*text_frame(text));
  }
  CHECK(two.seen.bytes.ends_with(expected));
}

TEST_CASE("WhatWasSentBeforeALinkIsClosedStillArrives") {
  net::Loop loop;
  Hub one(loop, member(1));
  Raw two(loop, one);
  two.greet(2);
  run_until(loop, [&] { return one.handler.saw("up 2"); });
  two.seen.keep_bytes = true;
  one.hub.send(coord::MemberId{2}, text_frame("farewell"));
  one.hub.stop();
  run_until(loop, [&] { return two.ended(); });
  CHECK(two.seen.bytes.ends_with(as_text(*text_frame("farewell"))));
}

TEST_CASE("TheSmallerIdDoesNotDial") {
  net::Loop loop;
  Hub two(loop, member(2));
  Hub one(loop, member(1), {two.as_voter()});
  net::Timer wait(loop, [] {});
  wait.start(milliseconds{200});
  run_until(loop, [&] { return !wait.active(); });
  CHECK(one.handler.events.empty());
  CHECK(one.handler.lines.empty());
}

TEST_CASE("AStrangerIsRefusedWithTheReasonInTheLog") {
  const struct {
    const char* why;
    coord::Handshake stranger;
    const char* reason;
  } rows[] = {
      {"another ring", member(2, "green"), "it is of ring green"},
      {"another birth", member(2, "blue", 78), "it is of another birth"},
      {"our own id", member(1), "our own id"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    net::Loop loop;
    Hub one(loop, member(1, "blue", 77));
    Raw stranger(loop, one);
    stranger.send(*coord::make_frame(coord::encode_handshake(row.stranger)));
    run_until(loop, [&] { return stranger.ended(); });
    CHECK(one.handler.logged(row.reason) == 1);
    CHECK(one.handler.events.empty());
  }
}

TEST_CASE("WhoAnswersUnderAnotherIdThanDialledIsRefused") {
  net::Loop loop;
  Hub one(loop, member(1));
  Hub three(loop, member(3), {config::Voter{2, {"127.0.0.1", one.hub.port()}}});
  run_until(loop, [&] { return three.handler.logged("it says it is member 1, not 2") == 1; });
  CHECK_FALSE(three.handler.saw("up 1"));
}

TEST_CASE("AFrameThatTheMemberRejectsEndsTheLink") {
  net::Loop loop;
  Hub one(loop, member(1));
  one.handler.reject = "nonsense";
  Raw two(loop, one);
  two.greet(2);
  two.send(*text_frame("sense"));
  two.send(*text_frame("nonsense"));
  two.send(*text_frame("too late"));
  run_until(loop, [&] { return two.ended(); });
  const std::vector<std::string> expected{"up 2", "sense 2", "nonsense 2", "down 2"};
  CHECK(one.handler.events == expected);
  CHECK(one.handler.logged("bad message") == 1);
}

TEST_CASE("CloseTellsTheHandlerBeforeItReturns") {
  net::Loop loop;
  Hub one(loop, member(1));
  Raw two(loop, one);
  two.greet(2);
  run_until(loop, [&] { return one.handler.saw("up 2"); });
  one.hub.close(coord::MemberId{2}, "the test says so");
  CHECK(one.handler.saw("down 2"));
  CHECK(one.handler.logged("the test says so") == 1);
  one.hub.close(coord::MemberId{2}, "again");
  CHECK(one.handler.count("down 2") == 1);
  run_until(loop, [&] { return two.ended(); });
}

TEST_CASE("ANewConnectionOfAMemberReplacesItsOld") {
  net::Loop loop;
  Hub one(loop, member(1));
  Raw first(loop, one);
  first.greet(2);
  run_until(loop, [&] { return one.handler.saw("up 2"); });
  Raw second(loop, one);
  second.greet(2);
  run_until(loop, [&] { return one.handler.count("up 2") == 2; });
  const std::vector<std::string> expected{"up 2", "down 2", "up 2"};
  CHECK(one.handler.events == expected);
  run_until(loop, [&] { return first.ended(); });
  CHECK_FALSE(second.ended());
}

TEST_CASE("AHandlerMayEndAllLinksWhileOneIsReplaced") {
  net::Loop loop;
  Hub one(loop, member(1));
  Raw first(loop, one);
  first.greet(9);
  run_until(loop, [&] { return one.handler.saw("up 9"); });
  one.handler.on_down = [&](coord::MemberId) { one.hub.rename(coord::MemberId{5}); };
  Raw second(loop, one);
  second.greet(9);
  run_until(loop, [&] { return second.ended(); });
  CHECK(one.handler.count("up 9") == 1);
  one.hub.send(coord::MemberId{9}, text_frame("to nobody"));
}

TEST_CASE("ALostLinkIsDialledAgainUnderBothIdsOfARename") {
  net::Loop loop;
  Hub one(loop, member(1));
  Hub two(loop, member(2), {one.as_voter()});
  run_until(loop, [&] { return two.handler.saw("up 1"); });
  one.hub.close(coord::MemberId{2}, "a loss");
  run_until(loop, [&] { return two.handler.count("up 1") == 2 && one.handler.count("up 2") == 2; });
  CHECK(two.handler.count("down 1") == 1);

  const std::uint64_t observer = coord::kMinObserverId + 4;
  two.handler.rename(observer);
  two.hub.rename(coord::MemberId{observer});
  run_until(loop, [&] { return one.handler.saw("up " + std::to_string(observer)); });
  CHECK(one.handler.count("down 2") == 2);
}

TEST_CASE("AStoppedHubHasNoLinksAndDialsNobody") {
  net::Loop loop;
  Hub one(loop, member(1));
  Hub two(loop, member(2), {one.as_voter()});
  run_until(loop, [&] { return one.handler.saw("up 2") && two.handler.saw("up 1"); });
  two.hub.stop();
  run_until(loop, [&] { return one.handler.saw("down 2"); });
  net::Timer wait(loop, [] {});
  wait.start(milliseconds{200});
  run_until(loop, [&] { return !wait.active(); });
  CHECK(one.handler.count("up 2") == 1);
  CHECK(two.hub.port() == 0);
}

}  // namespace ringside::peer::test
