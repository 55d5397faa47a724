#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "sidecar/app/child_process.h"

namespace ringside::app {

namespace {

// Its status, or -1 when it could not be started.
int status_of(std::vector<std::string> command, const Inheritance& given = {}, int signal = 0) {
  ChildProcess child(std::move(command), given);
  if (!child.start()) {
    return -1;
  }
  CHECK(child.running());
  if (signal != 0) {
    child.send(signal);
  }
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(child.reap());
  CHECK_FALSE(child.running());
  CHECK_FALSE(child.reap());
  child.send(SIGKILL);  // nobody: nothing
  return child.status();
}

int shell(const std::string& script, const Inheritance& given = {}) {
  return status_of({"sh", "-c", script}, given);
}

}  // namespace

TEST_CASE("TheStatusIsTheAppsOr128AndItsSignal") {
  CHECK(status_of({"true"}) == 0);
  CHECK(status_of({"false"}) == 1);
  CHECK(shell("exit 77") == 77);
  CHECK(shell("kill -KILL $$") == 128 + SIGKILL);
  CHECK(status_of({"sleep", "600"}, {}, SIGTERM) == 128 + SIGTERM);
}

TEST_CASE("WhatCannotBeRunIsSaidBeforeAnythingRuns") {
  ChildProcess nowhere({"no-such-program-anywhere"}, {});
  const Status missing = nowhere.start();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message.find("no-such-program-anywhere") != std::string::npos);
  CHECK_FALSE(nowhere.running());
  ChildProcess folder({"/"}, {});
  const Status denied = folder.start();
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code == ErrorCode::kIo);
}

TEST_CASE("ArgumentsArriveWordForWord") {
  CHECK(
      status_of(
          {"sh", "-c",
           R"([ "$#" = 4 ] && [ "$1" = "[a,b]" ] && [ "$2" = "" ] && [ "$3" = "--" ] && [ "$4" = "a b" ])",
           "sh", "[a,b]", "", "--", "a b"}) == 0);
}

TEST_CASE("TheAppHasWhatWeWereGivenAndNothingOfWhatWeOpened") {
  const int given = ::open("/dev/null", O_RDONLY);  // as if our parent had
  REQUIRE(given > 2);
  const Inheritance inheritance{{given}, false, {}};
  const int ours = ::open("/dev/null", O_RDONLY);  // without CLOEXEC
  REQUIRE(ours > 2);
  CHECK(shell("test -e /proc/self/fd/" + std::to_string(given), inheritance) == 0);
  CHECK(shell("test -e /proc/self/fd/" + std::to_string(ours), inheritance) == 1);
  CHECK(shell("test -e /proc/self/fd/" + std::to_string(given)) == 1);
  ::close(ours);
  ::close(given);
}

TEST_CASE("TheInheritanceIsWhatWouldOutliveAnExec") {
  const int kept = ::open("/dev/null", O_RDONLY);
  const int closed = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const Inheritance given = Inheritance::now();
  const auto has = [&](int fd) {
    return std::find(given.descriptors.begin(), given.descriptors.end(), fd) !=
           given.descriptors.end();
  };
  CHECK(has(kept));
  CHECK_FALSE(has(closed));
  ::close(kept);
  ::close(closed);
}

TEST_CASE("BrokenPipesAreForTheAppWhatTheyWereForUs") {
  std::signal(SIGPIPE, SIG_IGN);  // as the loops do
  CHECK(shell("kill -PIPE $$; exit 5") == 128 + SIGPIPE);
  CHECK(shell("kill -PIPE $$; exit 5", {{}, true, {}}) == 5);
  std::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("TheAppHasTheLimitOfDescriptorsThatWeWereGiven") {
  const auto limits = [](int soft) {
    return "[ $(ulimit -S -n) = " + std::to_string(soft) + " ] && [ $(ulimit -H -n) = 400 ]";
  };
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(Inheritance::now().descriptor_limit == before.rlim_cur);
  // A child of its own, since a hard limit never rises again.
  const pid_t one = ::fork();
  if (one == 0) {
    const rlimit low{400, 400};
    const bool set = ::setrlimit(RLIMIT_NOFILE, &low) == 0;
    const bool right = shell(limits(200), {{}, false, 200}) == 0 &&
                       shell(limits(400), {{}, false, 900}) == 0 && shell(limits(400)) == 0;
    ::_exit(set && right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(one, &status, 0) == one);
  CHECK(status == 0);
}

TEST_CASE("TheAppBeginsWithoutOurHandlersAndOurMask") {
  std::signal(SIGUSR1, [](int) {});
  CHECK(shell("kill -USR1 $$; exit 5") == 128 + SIGUSR1);
  std::signal(SIGUSR1, SIG_IGN);  // as if our parent had
  CHECK(shell("kill -USR1 $$; exit 5") == 5);
  std::signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("TheAppLeadsASessionOfItsOwn") {
  CHECK(shell(R"sh([ "$(cut -d' ' -f6 /proc/$$/stat)" = "$$" ])sh") == 0);
}

}  // namespace ringside::app
