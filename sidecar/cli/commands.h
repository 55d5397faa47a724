// What each command does. Each returns the exit status and prints: results on standard output,
// problems on standard error.
#pragma once

#include <string>
#include <vector>

namespace ringside::cli {

struct RunArguments {
  std::string file;
  std::string service;
  std::string voters;
  std::vector<std::string> overrides;
};

struct QueryArguments {
  std::string admin = "127.0.0.1:4191";
  bool json = false;
};

struct DrainArguments {
  std::string timeout = "30s";
  bool undo = false;
};

struct WaitArguments {
  std::string timeout = "30s";
  bool registered = false;
};

int run_sidecar(const RunArguments& arguments);
// The sidecar with `app` (program and arguments) as its child; the app's status, once it ran.
int exec_app(const RunArguments& arguments, std::vector<std::string> app);
int check_settings(const std::string& file);
int print_version();
// `name`: status, services, endpoints or ring.
int ask(const std::string& name, const std::string& service, const QueryArguments& query);
// Shows what it would come to; with `yes` does it.
int recover_ring(const QueryArguments& query, bool yes);
int wait_ready(const QueryArguments& query, const WaitArguments& wait);
// Begins a drain and waits until it is through, or undoes one.
int drain(const QueryArguments& query, const DrainArguments& drain);

}  // namespace ringside::cli
