#include "tests/unit/admin/made_up.h"

#include "sidecar/admin/change_guard.h"
#include "sidecar/admin/url_parts.h"
#include "sidecar/admin/znode_json.h"
#include "sidecar/admin/znode_request.h"

namespace ringside::admin::test {

namespace {

ZnodeCall good(std::string_view method, std::string_view target, std::string body = "") {
  auto call = read_znode_request(method, target, std::move(body));
  REQUIRE_MESSAGE(call.has_value(), call.error().hint);
  return *call;
}

std::string word(std::string_view method, std::string_view target, std::string body = "") {
  const auto call = read_znode_request(method, target, std::move(body));
  if (call) {
    return "ok";
  }
  CHECK(call.error().hint.size() > 10);
  return std::string(kind_of(call.error().word).word);
}

}  // namespace

TEST_CASE("PathsAreDecodedStrictly") {
  CHECK(good("GET", "/v1/znode").path == "/");
  CHECK(good("GET", "/v1/znode/").path == "/");
  CHECK(good("GET", "/v1/znode/a/b").path == "/a/b");
  CHECK(good("GET", "/v1/znode/a%20b+c").path == "/a b+c");
  CHECK(good("GET", "/v1/znode/%c3%A9").path == "/\xc3\xa9");
  CHECK(good("GET", "/v1/znode%2Fa%2fb").path == "/a/b");
  CHECK(good("GET", "/v1/znode?raw").path == "/");
  for (const char* target : {"/v1/znode/a/",
                             "/v1/znode//a",
                             "/v1/znode/a//b",
                             "/v1/znode/.",
                             "/v1/znode/a/../b",
                             "/v1/znode/%",
                             "/v1/znode/%4",
                             "/v1/znode/%zz",
                             "/v1/znode/a%00b",
                             "/v1/znode/a%0ab",
                             "/v1/znode/%ff",
                             "/v1/znode/%ed%a0%80",
                             "/v1/znode/\xc3\xa9",
                             "/v1/znode/a b",
                             "/v1/znode/a\"b",
                             "/v1/znode/a#b",
                             "/v1/znodes",
                             "/v1/znodex/a",
                             "/v1/zn%6fde/a",
                             "",
                             "/"}) {
    CAPTURE(target);
    CHECK(word("GET", target) == "bad_path");
  }
  CHECK(word("GET", "/v1/znode/" + std::string(1023, 'a')) == "ok");
  CHECK(word("GET", "/v1/znode/" + std::string(1024, 'a')) == "bad_path");
}

TEST_CASE("ParametersAreThoseOfTheMethodAndNothingElse") {
  const ZnodeCall read = good("GET", "/v1/znode/a?raw&sync=true&timeout=500ms");
  CHECK(read.raw);
  CHECK(read.sync);
  CHECK(read.timeout == milliseconds{500});
  CHECK_FALSE(good("HEAD", "/v1/znode/a?raw=0&sync=false").sync);
  CHECK(good("PUT", "/v1/znode/a?version=7").version == 7);
  CHECK(good("PUT", "/v1/znode/a?ephemeral").create_only);
  CHECK(good("PUT", "/v1/znode/a?create&parents").parents);
  CHECK(good("DELETE", "/v1/znode/a?version=2147483647").version == 2147483647);
  CHECK(good("POST", "/v1/znode/a?sequential").path == "/a/");
  CHECK(good("POST", "/v1/znode/a?sequential&name=job-").path == "/a/job-");
  CHECK(good("POST", "/v1/znode/?name=b%20c&ephemeral").path == "/b c");
  const struct {
    const char* method;
    const char* query;
  } bad[] = {
      {"GET", "version=1"},
      {"GET", "nothing"},
      {"GET", "raw=2"},
      {"GET", "raw&raw"},
      {"GET", "=1"},
      {"GET", "&"},
      {"GET", "sync&&raw"},
      {"GET", "timeout"},
      {"GET", "timeout=0s"},
      {"GET", "timeout=61s"},
      {"GET", "timeout=5"},
      {"GET", "timeout=-1s"},
      {"GET", "timeout=9999999999999999999s"},
      {"GET", "RAW"},
      {"PUT", "version="},
      {"PUT", "version=-1"},
      {"PUT", "version=1.0"},
      {"PUT", "version=%2b1"},
      {"PUT", "version=2147483648"},
      {"PUT", "version=1&create"},
      {"PUT", "version=1&ephemeral"},
      {"PUT", "version=1&parents"},
      {"PUT", "sequential"},
      {"PUT", "name=x"},
      {"PUT", "sync"},
      {"POST", ""},
      {"POST", "name="},
      {"POST", "name=a%2fb"},
      {"POST", "name=.."},
      {"POST", "name=a+b"},
      {"POST", "name=%00"},
      {"POST", "version=1&sequential"},
      {"POST", "create&name=a"},
      {"DELETE", "parents"},
      {"DELETE", "ephemeral"},
      {"DELETE", "version=x"},
  };
  for (const auto& row : bad) {
    CAPTURE(row.method);
    CAPTURE(row.query);
    CHECK(word(row.method, std::string("/v1/znode/a?") + row.query) == "bad_query");
  }
}

TEST_CASE("BodiesAndPathsKeepTheBoundsOfTheRing") {
  CHECK(good("PUT", "/v1/znode/a", std::string("\0\xff", 2)).data == Bytes{0, 0xff});
  CHECK(word("PUT", "/v1/znode/a", std::string(1 << 20, 'x')) == "ok");
  CHECK(word("PUT", "/v1/znode/a", std::string((1 << 20) + 1, 'x')) == "too_large");
  CHECK(word("GET", "/v1/znode/a", "x") == "bad_query");
  CHECK(word("DELETE", "/v1/znode/a", "x") == "bad_query");
  CHECK(word("DELETE", "/v1/znode/") == "bad_path");
  const std::string long_parent = "/v1/znode/" + std::string(1015, 'a');
  CHECK(word("POST", long_parent + "?sequential") == "bad_path");
  CHECK(word("POST", long_parent + "?name=1234567") == "ok");
}

TEST_CASE("WhatSidecarsWriteIsReadAndDeletedButNotMade") {
  for (const char* path : {"/v1/znode/ringside/services", "/v1/znode/ringside/services/orders/x",
                           "/v1/znode/ringside%2Fconfig/orders"}) {
    CAPTURE(path);
    CHECK(word("PUT", path) == "reserved");
    CHECK(word("POST", std::string(path) + "?name=x") == "reserved");
    CHECK(word("GET", path) == "ok");
    CHECK(word("DELETE", path) == "ok");
  }
  CHECK(word("POST", "/v1/znode/ringside?name=services") == "reserved");
  CHECK(word("PUT", "/v1/znode/ringside/servicesx") == "ok");
  CHECK(word("PUT", "/v1/znode/ringside") == "ok");
}

TEST_CASE("NoNonsenseIsTakenForARequestAndNoneEndsTheProcess") {
  Rng rng(7);
  constexpr char kAlphabet[] = "/%?&=+.#aA0\xff\0\n ";
  const std::string alphabet(kAlphabet, sizeof(kAlphabet) - 1);
  for (int i = 0; i < 20'000; ++i) {
    std::string target = i % 4 == 0 ? "" : "/v1/znode/";
    for (std::size_t left = rng.below(24); left > 0; --left) {
      target += alphabet[rng.below(alphabet.size())];
    }
    for (const char* method : {"GET", "PUT", "POST", "DELETE", "nonsense"}) {
      const auto call = read_znode_request(method, target, "");
      if (!call) {
        CHECK(kind_of(call.error().word).status / 100 == 4);
      }
    }
  }
}

TEST_CASE("OnlyAddressesAndLocalhostMayBeToldToChangeSomething") {
  using Values = std::vector<std::string>;
  for (const char* host :
       {"localhost", "LOCALHOST:4191", "127.0.0.1", "10.0.0.5:4191", "[::1]", "[::1]:4191"}) {
    CAPTURE(host);
    CHECK_FALSE(refuse_change(Values{host}, Values{}));
    CHECK_FALSE(refuse_change(Values{host}, Values{std::string("http://") + host}));
    CHECK(refuse_change(Values{host}, Values{std::string("https://") + host}));
    CHECK(refuse_change(Values{host}, Values{"null"}));
    CHECK(refuse_change(Values{host}, Values{"http://evil.example"}));
    CHECK(refuse_change(Values{host}, Values{std::string("http://") + host + "/"}));
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "evil.example:80", "127.0.0.1.nip.io",
        "localhost:x", "[::1", "::1", "1.2.3", "localhost:1:2", "a@localhost"}) {
    CAPTURE(host);
    const auto refused = refuse_change(Values{host}, Values{});
    REQUIRE(refused);
    CHECK(refused->word == TroubleWord::kBadHost);
  }
  CHECK(refuse_change(Values{}, Values{}));
  CHECK(refuse_change(Values{"localhost", "localhost"}, Values{}));
  CHECK(refuse_change(Values{"localhost"}, Values{"http://localhost", "http://localhost"}));
}

TEST_CASE("AZnodeIsShownWholeAndBytesThatAreNoTextAsBase64") {
  ZnodeRead read;
  read.path = "/a";
  read.data = "h\xc3\xa9";
  read.stat.czxid = coord::Zxid(coord::Epoch{1}, 2);
  read.stat.version = 3;
  read.stat.ephemeral_owner = coord::SessionId{0x1f};
  read.stat.mtime = WallTime{milliseconds{1'700'000'000'123}};
  read.children = {"b", "c"};
  json shown = parsed(znode_json(read));
  CHECK(shown["data"] == "h\xc3\xa9");
  CHECK_FALSE(shown.contains("encoding"));
  CHECK(shown["version"] == 3);
  CHECK(shown["stat"]["czxid"] == "0x10000000002");
  CHECK(shown["stat"]["ephemeral_owner"] == "0x1f");
  CHECK(shown["stat"]["mtime"] == 1'700'000'000'123);
  CHECK(shown["children"] == json::array({"b", "c"}));
  const struct {
    std::string bytes;
    const char* text;
  } rows[] = {{std::string("\xff"), "/w=="},
              {std::string("\xff\0", 2), "/wA="},
              {std::string("\xff\0\x01", 3), "/wAB"},
              {std::string("\xff\xfe\xfd\xfc"), "//79/A=="}};
  for (const auto& row : rows) {
    read.data = row.bytes;
    read.children.reset();
    shown = parsed(znode_json(read));
    CHECK(shown["data"] == row.text);
    CHECK(shown["encoding"] == "base64");
    CHECK(shown["children"].is_null());
  }
  CHECK(parsed(znode_json(ZnodeWritten{"/a", true, std::nullopt, {}}))["stat"].is_null());
}

}  // namespace ringside::admin::test
