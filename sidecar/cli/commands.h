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

struct WaitArguments {
  std::string timeout = "30s";
  bool registered = false;
};

int run_sidecar(const RunArguments& arguments);
int check_settings(const std::string& file);
int print_version();
// `name`: status, services, endpoints or ring.
int ask(const std::string& name, const std::string& service, const QueryArguments& query);
// Shows what it would come to; with `yes` does it.
int recover_ring(const QueryArguments& query, bool yes);
int wait_ready(const QueryArguments& query, const WaitArguments& wait);

}  // namespace ringside::cli
