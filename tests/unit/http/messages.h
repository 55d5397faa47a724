// The tables of legal and illegal messages that several tests go through.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transcript.h"

namespace ringside::http {

struct BadMessage {
  std::string_view rule;  // what must not pass
  std::string bytes;
  Reason reason;
};

struct GoodRequest {
  std::string_view rule;
  std::string bytes;
  std::string body;
  std::size_t messages = 1;
};

struct GoodResponse {
  std::string_view rule;
  std::string bytes;
  std::string body;
  Asked asked{};
  Eof eof = Eof::kOpen;
};

const std::vector<BadMessage>& bad_requests();
const std::vector<BadMessage>& bad_responses();
const std::vector<GoodRequest>& good_requests();
const std::vector<GoodResponse>& good_responses();

}  // namespace ringside::http
