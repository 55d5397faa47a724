// What drill_load is told on its command line.
#pragma once

#include <cstdint>
#include <string>

namespace ringside::drill {

struct LoadOptions {
  int port = 0;
  std::string host = "orders";  // the Host header: the service that is called
  double rate = 1000;           // requests per second, whatever comes back
  int connections = 64;         // kept open and used in turn; more while all are busy
  double timeout_ms = 10000;
  std::uint64_t first_id = 1;
};

// Ends the program on --help and on wrong usage.
LoadOptions parse_load_options(int count, char** words);

}  // namespace ringside::drill
