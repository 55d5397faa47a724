#include "sidecar/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include "sidecar/app/version.h"
#include "sidecar/cli/answers.h"
#include "sidecar/cli/commands.h"
#include "sidecar/cli/exit_status.h"

namespace ringside::cli {

namespace {

// An empty word is mostly a variable that is not set: never the same as no option at all.
std::string not_empty(const std::string& word) {
  return word.empty() ? "is empty" : "";
}

void add_run(CLI::App& app, const char* name, const char* help, RunArguments& run) {
  auto* command = app.add_subcommand(name, help);
  command->add_option("-c,--config", run.file, "YAML file")->check(not_empty);
  command->add_option("--service", run.service, "without a file: NAME=HOST:PORT of the local app")
      ->check(not_empty);
  command->add_option("--voters", run.voters, "without a file: ID@HOST:PORT,ID@HOST:PORT,…")
      ->check(not_empty);
  command
      ->add_option("--set", run.overrides,
                   "KEY=VALUE for any key, e.g. proxy.outbound=127.0.0.1:5140")
      ->take_all();
}

CLI::App* add_query(CLI::App& app, const char* name, const char* help, QueryArguments& query) {
  auto* command = app.add_subcommand(name, help);
  command->add_option("--admin", query.admin, "HOST:PORT of the sidecar's admin port")
      ->capture_default_str();
  command->add_flag("--json", query.json, "print the admin API's JSON");
  return command;
}

// What stands behind the first `--` of `exec` is the app's, word for word.
std::vector<std::string> take_app(int& argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  char** const end = argv + argc;
  char** const mark = std::find(argv + std::min(argc, 1), end, std::string_view("--"));
  if (command != "exec" || mark == end) {
    return {};
  }
  argc = static_cast<int>(mark - argv);
  return {mark + 1, end};
}

}  // namespace

int run(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  if (const auto later = later_command(arguments)) {
    std::fprintf(stderr, "ringside: %s: not in this version\n", later->c_str());
    return kWrongUsage;
  }
  std::vector<std::string> app_command = take_app(argc, argv);
  CLI::App app{"Ringside: service discovery and load balancing beside each service", "ringside"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("ringside ") + app::kVersion);
  RunArguments run_arguments;
  QueryArguments query;
  WaitArguments wait;
  DrainArguments drain_arguments;
  std::string check_file;
  std::string service;
  add_run(app, "run", "Run the sidecar", run_arguments);
  add_run(app, "exec", "Run the sidecar, and once it is ready the app: exec -c FILE -- APP ARGS",
          run_arguments);
  app.add_subcommand("check", "Read a YAML file and name every problem")
      ->add_option("FILE", check_file)
      ->check(not_empty)
      ->required();
  add_query(app, "status", "Is the sidecar ready, and why not", query);
  add_query(app, "services", "The services in view", query);
  add_query(app, "endpoints", "The endpoints of one service", query)
      ->add_option("SERVICE", service)
      ->check(not_empty)
      ->required();
  auto* ring = add_query(app, "ring", "The ring: leader, members, zxids", query);
  auto* recover =
      add_query(*ring, "recover",
                "Begin the ring anew from this voter, after its quorum is lost for good", query);
  bool yes = false;
  recover->add_flag("--yes", yes, "do it; without it, show what it would come to");
  auto* waiting = add_query(app, "wait-ready", "Wait until the sidecar is ready", query);
  waiting->add_option("--timeout", wait.timeout, "e.g. 30s")->capture_default_str();
  waiting->add_flag("--registered", wait.registered, "and its service is registered");
  auto* draining = add_query(
      app, "drain", "Take this instance out of use, and wait until nobody calls it", query);
  draining->add_option("--timeout", drain_arguments.timeout, "how long to wait, e.g. 30s")
      ->capture_default_str();
  draining->add_flag("--undo", drain_arguments.undo, "put it back into use");
  app.add_subcommand("version", "Print the version");
  const auto asked_for = [argv](const CLI::App* known) { return known->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(asked_for).empty()) {
    std::fprintf(stderr, "ringside: no command %s; ringside --help lists them\n", argv[1]);
    return kWrongUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const int status = app.exit(problem);
    return status == 0 ? written(kDone) : kWrongUsage;
  }
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "run") return run_sidecar(run_arguments);
  if (name == "exec") return exec_app(run_arguments, std::move(app_command));
  if (name == "check") return written(check_settings(check_file));
  if (name == "version") return written(print_version());
  if (recover->parsed()) return written(recover_ring(query, yes));
  if (name == "wait-ready") return written(wait_ready(query, wait));
  if (name == "drain") return written(drain(query, drain_arguments));
  return written(ask(name, service, query));
}

}  // namespace ringside::cli
