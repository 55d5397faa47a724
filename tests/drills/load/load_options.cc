#include "tests/drills/load/load_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace ringside::drill {

LoadOptions parse_load_options(int count, char** words) {
  LoadOptions options;
  CLI::App app{
      "An open loop of GET and POST through a proxy, in which every answer is counted. A line "
      "`report` on stdin prints what came since the last one, as a line of JSON; `stop` waits for "
      "what is under way, prints the rest and ends."};
  app.add_option("--port", options.port, "of the proxy, on loopback")->required();
  app.add_option("--host", options.host, "the service that is called");
  app.add_option("--rate", options.rate, "requests per second")->check(CLI::Range(0.1, 1e5));
  app.add_option("--connections", options.connections, "kept open and used in turn")
      ->check(CLI::Range(1, 4000));
  app.add_option("--timeout-ms", options.timeout_ms, "until a request counts as lost");
  app.add_option("--first-id", options.first_id, "of the requests; odd ones are POSTs");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

}  // namespace ringside::drill
