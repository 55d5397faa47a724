// What a caller's connection needs while it has a request, and only then: a parser and an exchange,
// with the buffers that they have grown.
//
// Lent by Servings to a Downstream. Given back only between two messages, when nothing of either is
// remembered, so that whoever takes it next finds it as new, but warm.
#pragma once

#include "sidecar/http/parser.h"
#include "sidecar/proxy/exchange.h"

namespace ringside::proxy {

struct Serving {
  explicit Serving(WorkerContext& context) : parser(context.limits), exchange(context) {}

  http::RequestParser parser;
  Exchange exchange;
};

}  // namespace ringside::proxy
