// What Keep-Alive fields announce, and what is not believed.
#include "sidecar/http/keep_alive.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace ringside::http {

namespace {

KeepAliveTerms terms_of(const std::vector<std::string_view>& values) {
  Head head;
  head.fields.push_back({"timeout", "timeout=9", FieldId::kOther});
  for (const std::string_view value : values) {
    head.fields.push_back({"Keep-Alive", value, FieldId::kKeepAlive});
    head.present.add(FieldId::kKeepAlive);
  }
  return read_keep_alive(head);
}

}  // namespace

TEST_CASE("TimeoutAndMaxAreRead") {
  CHECK(terms_of({}) == KeepAliveTerms{});
  CHECK(terms_of({"timeout=5"}) == KeepAliveTerms{seconds{5}, {}});
  CHECK(terms_of({"max=100"}) == KeepAliveTerms{{}, 100});
  CHECK(terms_of({"timeout=5, max=99"}) == KeepAliveTerms{seconds{5}, 99});
  CHECK(terms_of({"MAX=1 ,\tTimeOut=0"}) == KeepAliveTerms{seconds{0}, 1});
  CHECK(terms_of({"timeout=007"}) == KeepAliveTerms{seconds{7}, {}});
  CHECK(terms_of({"timeout=999999999"}) == KeepAliveTerms{seconds{999999999}, {}});
  CHECK(terms_of({"timeout=5", "max=2"}) == KeepAliveTerms{seconds{5}, 2});  // one list
}

TEST_CASE("ParametersThatAreNotKnownArePassedOver") {
  CHECK(terms_of({"header"}) == KeepAliveTerms{});
  CHECK(terms_of({"x=y, timeout=5, quic"}) == KeepAliveTerms{seconds{5}, {}});
}

TEST_CASE("OneElementThatBreaksTheGrammarAndNothingIsBelieved") {
  for (const std::string_view bad :
       {"timeout", "timeout=", "timeout=5s", "timeout=-5", "timeout=+5", "timeout=5.0",
        "timeout=0x5", "timeout =5", "timeout= 5", "timeout=\"5\"", "timeout=1234567890",
        "timeout=5;max=2", "max=", "max=all", "=5", "x=", "x=\"y\"", "a b"}) {
    CAPTURE(bad);
    CHECK(terms_of({bad}) == KeepAliveTerms{});
    CHECK(terms_of({"timeout=5", bad}) == KeepAliveTerms{});
  }
}

TEST_CASE("AParameterThatComesTwiceIsNotBelieved") {
  CHECK(terms_of({"timeout=5, timeout=5"}) == KeepAliveTerms{});
  CHECK(terms_of({"max=5", "max=4"}) == KeepAliveTerms{});
}

}  // namespace ringside::http
