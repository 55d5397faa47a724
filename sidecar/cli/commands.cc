#include "sidecar/cli/commands.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "config/address.h"
#include "config/duration.h"
#include "sidecar/admin/recovery_view.h"
#include "sidecar/app/app.h"
#include "sidecar/app/version.h"
#include "sidecar/cli/admin_client.h"
#include "sidecar/cli/answers.h"
#include "sidecar/cli/exit_status.h"
#include "sidecar/cli/tables.h"

namespace ringside::cli {

namespace {

constexpr std::chrono::milliseconds kPoll{50};

int name_all(const std::vector<config::Problem>& problems) {
  for (const auto& problem : problems) {
    std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  }
  return kWrongUsage;
}

struct Readiness {
  bool ready = false;
  std::string missing;  // what is not there yet, in words
  std::string answer;   // of /readyz
};

Readiness look(const config::Address& admin, bool want_registered) {
  const auto answer = ask_admin(admin, "/readyz", milliseconds{1000});
  if (!answer) {
    return {false, answer.error().message, {}};
  }
  if (answer->status != 200) {
    return {false, "not ready: " + not_ready_reason(*answer), {}};
  }
  if (want_registered) {
    const auto status = ask_admin(admin, "/v1/status", milliseconds{1000});
    if (!status || !registered(status->body)) {
      return {false, "its service is not registered: see ringside status", {}};
    }
  }
  return {true, {}, answer->body};
}

app::ConfigSource source_of(const RunArguments& arguments,
                            const std::vector<config::Override>& overrides) {
  if (!arguments.file.empty()) {
    return app::ConfigSource(arguments.file, overrides);
  }
  config::CommandLine line;
  if (!arguments.service.empty()) line.service = arguments.service;
  if (!arguments.voters.empty()) line.voters = arguments.voters;
  line.overrides = overrides;
  return app::ConfigSource(std::move(line));
}

int run_with(const RunArguments& arguments, std::unique_ptr<app::ChildProcess> child) {
  if (!arguments.file.empty() && (!arguments.service.empty() || !arguments.voters.empty())) {
    return complain(kWrongUsage, "give a file, or --service and --voters, not both");
  }
  std::vector<config::Override> overrides;
  for (const auto& text : arguments.overrides) {
    auto parsed = config::parse_override(text);
    if (!parsed) {
      return complain(kWrongUsage, parsed.error().message);
    }
    overrides.push_back(std::move(*parsed));
  }
  app::ConfigSource source = source_of(arguments, overrides);
  auto settings = source.read();
  if (!settings) {
    return name_all(settings.error());
  }
  app::App app(std::move(source), std::move(*settings), std::move(child));
  return app.run();
}

}  // namespace

int run_sidecar(const RunArguments& arguments) {
  return run_with(arguments, nullptr);
}

int exec_app(const RunArguments& arguments, std::vector<std::string> app) {
  if (app.empty()) {
    return complain(kWrongUsage,
                    "exec: name the app after --, e.g. ringside exec -c FILE -- APP ARGS");
  }
  return run_with(arguments,
                  std::make_unique<app::ChildProcess>(std::move(app), app::Inheritance::now()));
}

int check_settings(const std::string& file) {
  const auto settings = app::ConfigSource(file).read();
  if (!settings) {
    return name_all(settings.error());
  }
  std::printf("%s: ok\n", file.c_str());
  return kDone;
}

int print_version() {
  std::printf("ringside %s\n", app::kVersion);
  return kDone;
}

int ask(const std::string& name, const std::string& service, const QueryArguments& query) {
  const auto admin = config::parse_address(query.admin);
  if (!admin) {
    return complain(kWrongUsage, "--admin: " + admin.error().message);
  }
  const auto answer = ask_admin(*admin, path_of(name, service));
  if (!answer) {
    return complain(kFailed, answer.error().message);
  }
  if (answer->status != 200) {
    return complain(kFailed, error_text(*answer));
  }
  const auto table =
      query.json ? std::optional<std::string>(answer->body) : as_table(name, answer->body);
  if (!table) {
    return complain(kFailed,
                    fmt::format("{} answered something that is not the admin API's", query.admin));
  }
  std::fputs(table->c_str(), stdout);
  return kDone;
}

int recover_ring(const QueryArguments& query, bool yes) {
  constexpr const char* kPath = "/v1/ring/recover";
  const auto admin = config::parse_address(query.admin);
  if (!admin) {
    return complain(kWrongUsage, "--admin: " + admin.error().message);
  }
  const auto answer = yes ? tell_admin(*admin, kPath, admin::kRecoveryPatience)
                          : ask_admin(*admin, kPath, admin::kRecoveryPatience);
  if (!answer) {
    return complain(kFailed, answer.error().message);
  }
  if (answer->status != 200) {
    return complain(kFailed, error_text(*answer));
  }
  const auto text =
      query.json ? std::optional<std::string>(answer->body) : recovery_text(answer->body);
  if (!text) {
    return complain(kFailed,
                    fmt::format("{} answered something that is not the admin API's", query.admin));
  }
  std::fputs(text->c_str(), stdout);
  if (const auto unfinished = recovery_unfinished(answer->body)) {
    return complain(kFailed, fmt::format("the history is written anew, but this sidecar does not "
                                         "go by it yet, restart it: {}",
                                         *unfinished));
  }
  return yes ? kDone : complain(kFailed, "nothing was done: to do it, give --yes");
}

int wait_ready(const QueryArguments& query, const WaitArguments& wait) {
  const auto admin = config::parse_address(query.admin);
  const auto timeout = config::parse_duration(wait.timeout);
  if (!admin || !timeout) {
    return complain(kWrongUsage, !admin ? "--admin: " + admin.error().message
                                        : "--timeout: " + timeout.error().message);
  }
  const auto deadline = std::chrono::steady_clock::now() + *timeout;
  while (true) {
    const Readiness now = look(*admin, wait.registered);
    if (now.ready) {
      if (query.json) {
        std::fputs(now.answer.c_str(), stdout);
      }
      return kDone;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return complain(kFailed, fmt::format("not ready after {}: {}", wait.timeout, now.missing));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace ringside::cli
