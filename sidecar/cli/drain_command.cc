// `ringside drain`: asks for a drain and waits for its end, so that it can stand before a stop (a
// preStop hook); `--undo` takes it back.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "config/address.h"
#include "config/duration.h"
#include "sidecar/cli/admin_client.h"
#include "sidecar/cli/answers.h"
#include "sidecar/cli/commands.h"
#include "sidecar/cli/exit_status.h"

namespace ringside::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPath = "/v1/drain";
constexpr milliseconds kAnswer{5000};
constexpr milliseconds kLeast{1000};  // for an answer, however short the timeout
constexpr milliseconds kPoll{50};
constexpr milliseconds kTellEvery{1000};

// Of an answer that is one of /v1/drain; else says what is wrong with it.
std::optional<DrainSaid> understood(const Result<AdminAnswer>& answer, const std::string& admin) {
  if (!answer) {
    say(answer.error().message);
    return std::nullopt;
  }
  if (answer->status != 200) {
    say(error_text(*answer));
    return std::nullopt;
  }
  auto said = drain_said(answer->body);
  if (!said) {
    say(fmt::format("{} answered something that is not the admin API's", admin));
  }
  return said;
}

void print(const AdminAnswer& answer, const QueryArguments& query, const std::string& words) {
  std::fputs((query.json ? answer.body : words + "\n").c_str(), stdout);
}

int wait_until_drained(const config::Address& admin, const QueryArguments& query,
                       const std::string& patience, milliseconds timeout) {
  const auto began = Clock::now();
  auto told = began;
  const auto left = [&] {
    const auto spent = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    return std::clamp(timeout - spent, kLeast, kAnswer);
  };
  for (auto answer = tell_admin(admin, kPath, left());; answer = ask_admin(admin, kPath, left())) {
    const auto said = understood(answer, query.admin);
    if (!said) {
      return kFailed;
    }
    if (said->state == "serving") {
      return complain(kFailed, "somebody undid the drain");
    }
    const auto spent = Clock::now() - began;
    if (said->state == "drained") {
      print(*answer, query,
            fmt::format("drained after {:.1f} s", std::chrono::duration<double>(spent).count()));
      return kDone;
    }
    if (spent >= timeout) {
      return complain(kFailed, fmt::format("not drained after {}: {}", patience, said->waiting));
    }
    if (Clock::now() - told >= kTellEvery) {
      told = Clock::now();
      say("draining: " + said->waiting);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

int drain(const QueryArguments& query, const DrainArguments& drain) {
  const auto admin = config::parse_address(query.admin);
  const auto timeout = config::parse_duration(drain.timeout);
  if (!admin || !timeout) {
    return complain(kWrongUsage, !admin ? "--admin: " + admin.error().message
                                        : "--timeout: " + timeout.error().message);
  }
  if (!drain.undo) {
    return wait_until_drained(*admin, query, drain.timeout, *timeout);
  }
  const auto answer = tell_admin_to_undo(*admin, kPath, kAnswer);
  if (!understood(answer, query.admin)) {
    return kFailed;
  }
  print(*answer, query, "in use again");
  return kDone;
}

}  // namespace ringside::cli
