// drill_app: the app of the drills, in a process of its own so that it can be killed. SIGTERM ends
// it after what is under way.
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <utility>

#include "tests/drills/load/app_server.h"

int main(int count, char** words) {
  using namespace ringside::drill;
  AppOptions options;
  CLI::App app{"A small HTTP/1.1 server that keeps a record of every request; see app_server.h."};
  app.add_option("--port", options.port, "to listen on, on loopback")->required();
  app.add_option("--name", options.name, "in every answer")->required();
  app.add_option("--record", options.record, "file of what was seen and answered");
  app.add_option("--ids", options.ids, "that have room in the record");
  app.add_option("--delay-ms", options.delay_ms, "of every answer");
  app.add_option("--idle-ms", options.idle_ms, "until an idle connection is closed");
  app.add_option("--keep-alive", options.keep_alive_s, "seconds, announced in every answer");
  app.add_option("--close-after", options.close_after, "answers on one connection");
  app.add_flag("--cut", options.cut, "a stop closes every connection at once");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  Poller poller;
  AppServer server(poller, std::move(options));
  bool told = false;
  const int told_by = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (told_by < 0) {
    give_up("signalfd");
  }
  poller.add(told_by, EPOLLIN, [&](std::uint32_t) { told = true; });
  while (!server.over()) {
    server.turn();
    if (std::exchange(told, false)) {
      poller.close(told_by);  // once is enough
      server.stop();
    }
  }
  return 0;
}
