#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sidecar/http/parser.h"
#include "sidecar/http/route.h"

namespace ringside::http {
namespace {

struct Case {
  std::string target;
  std::string host;
  Route::Kind kind;
  std::string service;
  std::string seen_target;
  std::string method = "GET";
};

constexpr auto kService = Route::Kind::kService;
constexpr auto kNotAService = Route::Kind::kNotAService;
constexpr auto kUnnamed = Route::Kind::kUnnamed;

void check(const Case& example) {
  CAPTURE(example.target);
  CAPTURE(example.host);
  static const std::vector<std::string> kDomains = {"ringside", "Svc.Cluster.local"};
  const std::string bytes =
      example.method + " " + example.target + " HTTP/1.1\r\nHost: " + example.host + "\r\n\r\n";
  RequestParser parser{Limits{}};
  REQUIRE(parser.next({bytes.data(), bytes.size()}).kind == Step::Kind::kHead);
  const Route route = route_name(parser.head(), {.domains = kDomains, .own_host = "my-proxy"});
  CHECK(route.kind == example.kind);
  CHECK(route.service.view() == example.service);
  if (route.kind == kService) {
    CHECK(std::string(route.target.prefix) + std::string(route.target.rest) == example.seen_target);
  }
}

}  // namespace

TEST_CASE("AbsoluteFormNamesTheServiceAndOutranksHost") {
  for (const Case& example : std::vector<Case>{
           {"http://payments/charge", "payments", kService, "payments", "/charge"},
           {"HTTP://Payments:8080/a?b", "other", kService, "payments", "/a?b"},
           {"http://payments", "payments", kService, "payments", "/"},
           {"http://payments?x=1", "payments", kService, "payments", "/?x=1"},
           {"http://payments.ringside/a", "x", kService, "payments", "/a"},
           {"http://payments", "x", kService, "payments", "*", "OPTIONS"},
           {"http://payments/", "x", kService, "payments", "/", "OPTIONS"},
           {"http://127.0.0.1:4140/svc/payments/a", "x", kService, "payments", "/a"},
           {"http://payments/svc/orders/a", "x", kService, "payments", "/svc/orders/a"},
           {"https://payments/a", "payments", Route::Kind::kBadScheme, "", ""},
           {"ftp://payments/a", "payments", Route::Kind::kBadScheme, "", ""},
       }) {
    check(example);
  }
}

TEST_CASE("HostNamesTheService") {
  for (const Case& example : std::vector<Case>{
           {"/charge", "payments", kService, "payments", "/charge"},
           {"/", "PayMents:80", kService, "payments", "/"},
           {"/", "payments.ringside", kService, "payments", "/"},
           {"/", "payments.RINGSIDE.", kService, "payments", "/"},
           {"/", "payments.svc.cluster.LOCAL:81", kService, "payments", "/"},
           {"/", "payments.", kService, "payments", "/"},
           {"/", "ringside", kService, "ringside", "/"},
           {"/", "123", kService, "123", "/"},
           {"/svc/orders/x", "payments", kService, "payments", "/svc/orders/x"},
           {"*", "payments", kService, "payments", "*", "OPTIONS"},
           {"/", "api.example.com", kNotAService, "", ""},
           {"/", "a.b.ringside", kNotAService, "", ""},
           {"/", ".ringside", kNotAService, "", ""},
           {"/", "under_score", kNotAService, "", ""},
           {"/", "-a", kNotAService, "", ""},
           {"/", "a-", kNotAService, "", ""},
           {"/", std::string(63, 'a'), kService, std::string(63, 'a'), "/"},
           {"/", std::string(64, 'a'), kNotAService, "", ""},
           {"/", "1.2.3", kNotAService, "", ""},
       }) {
    check(example);
  }
}

TEST_CASE("ThePrefixNamesTheServiceOnlyWhereHostNamesNothing") {
  for (const std::string& host :
       std::vector<std::string>{"127.0.0.1:4140", "10.1.2.3", "localhost", "LocalHost:80",
                                "[::1]:4140", "", "my-proxy", "MY-Proxy:4140"}) {
    check({"/svc/payments/charge?x", host, kService, "payments", "/charge?x"});
    check({"/svc/Payments", host, kService, "payments", "/"});
    check({"/svc/payments/", host, kService, "payments", "/"});
    check({"/svc/payments?x=1", host, kService, "payments", "/?x=1"});
    check({"/svc/payments.ringside/a", host, kService, "payments", "/a"});
    check({"/svc/payments//a", host, kService, "payments", "//a"});
    check({"/svc/pay_ments/a", host, kNotAService, "", ""});
    check({"/svc/", host, kUnnamed, "", ""});
    check({"/svc", host, kUnnamed, "", ""});
    check({"/svc//a", host, kUnnamed, "", ""});
    check({"/SVC/payments/a", host, kUnnamed, "", ""});
    check({"/charge", host, kUnnamed, "", ""});
    check({"*", host, kUnnamed, "", "", "OPTIONS"});
  }
}

TEST_CASE("ConnectNamesTheServiceByItsAuthority") {
  check({"payments:5432", "x", kService, "payments", "payments:5432", "CONNECT"});
  check({"payments.ringside:1", "x", kService, "payments", "payments.ringside:1", "CONNECT"});
  check({"127.0.0.1:80", "payments", kUnnamed, "", "", "CONNECT"});
  check({"example.com:443", "x", kNotAService, "", "", "CONNECT"});
}

TEST_CASE("ARequestWithoutHostNeedsThePrefix") {
  for (const std::string& target : {std::string("/a"), std::string("/svc/payments/a")}) {
    const std::string bytes = "GET " + target + " HTTP/1.0\r\n\r\n";
    RequestParser parser{Limits{}};
    REQUIRE(parser.next({bytes.data(), bytes.size()}).kind == Step::Kind::kHead);
    const Route route = route_name(parser.head(), {});
    CHECK(route.service.view() == (target == "/a" ? "" : "payments"));
  }
}

TEST_CASE("WhatWasNamedIsKnownForTheHint") {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: api.Example.com:80\r\n\r\n";
  RequestParser parser{Limits{}};
  REQUIRE(parser.next({bytes.data(), bytes.size()}).kind == Step::Kind::kHead);
  CHECK(route_name(parser.head(), {}).host == "api.Example.com");
}

TEST_CASE("ARequestIdIsBoundedVisibleAscii") {
  CHECK(acceptable_request_id("a"));
  CHECK(acceptable_request_id(std::string(128, '~')));
  CHECK_FALSE(acceptable_request_id(""));
  CHECK_FALSE(acceptable_request_id(std::string(129, 'a')));
  CHECK_FALSE(acceptable_request_id("a b"));
  CHECK_FALSE(acceptable_request_id("a\tb"));
  CHECK_FALSE(acceptable_request_id("a\x7f"));
  CHECK_FALSE(acceptable_request_id("\xc3\xa9"));
}

TEST_CASE("FieldNamesAreKnownWhateverTheirCase") {
  CHECK(field_id("HOST") == FieldId::kHost);
  CHECK(field_id("te") == FieldId::kTe);
  CHECK(field_id("Proxy-AUTHORIZATION") == FieldId::kProxyAuthorization);
  CHECK(field_id("X-Ringside-Load") == FieldId::kRingside);
  CHECK(field_id("x-forwarded-for") == FieldId::kXForwardedFor);
  CHECK(field_id("X-Forwarded-Proto") == FieldId::kXForwardedOther);
  CHECK(field_id("X-Forwarded-") == FieldId::kOther);
  CHECK(field_id("content-lengtH") == FieldId::kContentLength);
  CHECK(field_id("content_length") == FieldId::kOther);
  CHECK(field_id("") == FieldId::kOther);
}

TEST_CASE("OnlySafeMethodsAndThoseDefinedSoAreIdempotent") {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut, Method::kDelete,
                              Method::kOptions, Method::kTrace}) {
    CHECK(is_idempotent(method));
  }
  for (const Method method :
       {Method::kPost, Method::kPatch, Method::kConnect, Method::kLock, Method::kNotify}) {
    CHECK_FALSE(is_idempotent(method));
  }
  CHECK(method_from("M-SEARCH") == Method::kMsearch);
  CHECK_FALSE(method_from("get"));
  CHECK(to_string(Method::kPropfind) == "PROPFIND");
}

TEST_CASE("TheAuthorityIsThatOfTheTargetElseHostWithItsPort") {
  const auto authority = [](const std::string& target, const std::string& host) {
    RequestParser parser{Limits{}};
    const std::string bytes = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    REQUIRE(parser.next({bytes.data(), bytes.size()}).kind == Step::Kind::kHead);
    return std::string(route_name(parser.head(), {}).authority);
  };
  CHECK(authority("http://Pay:80/x", "other") == "Pay:80");
  CHECK(authority("/x", "pay:81") == "pay:81");
  CHECK(authority("/x", "") == "");
  CHECK(authority("https://pay/x", "other") == "");
}

}  // namespace ringside::http
