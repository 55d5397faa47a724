// Runs a parser over bytes cut in any way and writes down its events as one string, with body
// pieces joined, so that two runs can be compared.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/http/parser.h"

namespace ringside::http {

struct Transcript {
  std::string events;               // a line for each head, body, end and error
  std::string body;                 // of all messages
  ParseError error;                 // reason kNone if there was none
  std::size_t messages = 0;         // complete ones
  std::vector<std::string> fields;  // `name: value` of all heads
};

enum class Eof { kOpen, kCloses };

// `cuts` are offsets in rising order where one read of the socket ends.
Transcript run_requests(std::string_view bytes, const std::vector<std::size_t>& cuts = {},
                        const Limits& limits = {});

// What each response answers, the last one for all that follow.
struct Asked {
  Method method = Method::kGet;
  bool upgrade = false;
};
Transcript run_responses(std::string_view bytes, const std::vector<Asked>& asked = {{}},
                         Eof eof = Eof::kOpen, const std::vector<std::size_t>& cuts = {},
                         const Limits& limits = {});

// Every offset: one byte at a time.
std::vector<std::size_t> every_byte(std::size_t size);

}  // namespace ringside::http
