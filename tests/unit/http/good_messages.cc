// Legal messages that must pass, with what they carry.
#include "messages.h"

namespace ringside::http {
namespace {

std::string chunked(const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}
std::string ok(const std::string& rest) {
  return "HTTP/1.1 200 OK\r\n" + rest;
}

}  // namespace

const std::vector<GoodRequest>& good_requests() {
  static const std::vector<GoodRequest> kAll = {
      {"plain GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"pipelined", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", "", 2},
      {"pipelined behind a body",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: "
       "a\r\n\r\n",
       "abc", 2},
      {"pipelined behind chunks", chunked("2\r\nab\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
       "ab", 2},
      {"one empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"one empty line between",
       "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "", 2},
      {"body of a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "hi"},
      {"length 0", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", ""},
      {"length with leading zeros", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 002\r\n\r\nhi",
       "hi"},
      {"white space around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\nX:\r\nY:   \r\n\r\n", ""},
      {"chunked in capitals",
       "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:  Chunked \r\n\r\n0\r\n\r\n", ""},
      {"chunks", chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "hello world"},
      {"sizes in capitals, with zeros", chunked("00A\r\n0123456789\r\n000\r\n\r\n"), "0123456789"},
      {"chunk that looks like a line end", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n"},
      {"one extension", chunked("2;a=b\r\nhi\r\n0\r\n\r\n"), "hi"},
      {"many extensions", chunked("2;a=b;c=\"d e;f\"; g\r\nhi\r\n0;last\r\n\r\n"), "hi"},
      {"trailers", chunked("2\r\nhi\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n"), "hi"},
      {"absolute form", "GET http://a.b:80/x?y HTTP/1.1\r\nHost: a.b\r\n\r\n", ""},
      {"absolute form without path", "GET http://a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", ""},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", ""},
      {"authority form", "CONNECT a:5432 HTTP/1.1\r\nHost: a:5432\r\n\r\n", ""},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", ""},
      {"HTTP/1.0 that keeps alive",
       "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", "", 2},
      {"expectation",
       "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", "x"},
      {"upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
       ""},
      {"upgrade with a body",
       "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: "
       "2\r\n\r\nhi",
       "hi"},
      {"upgrade with chunks",
       "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
       "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
       "hi"},
      {"bytes over 0x7f in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\xff\r\n\r\n", ""},
      {"every mark in a target", "GET /~a%20b?c=[d]&e=\"<>\\^`{|}' HTTP/1.1\r\nHost: a\r\n\r\n",
       ""},
      {"every mark in a name", "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~1aZ: x\r\n\r\n", ""},
      {"empty elements in Connection",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: , close ,,\r\n\r\n", ""},
      {"method with a mark", "M-SEARCH /x HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"WebDAV", "PROPFIND /x HTTP/1.1\r\nHost: a\r\nDepth: 1\r\nContent-Length: 1\r\n\r\nx", "x"},
  };
  return kAll;
}

const std::vector<GoodResponse>& good_responses() {
  static const std::vector<GoodResponse> kAll = {
      {"length", ok("Content-Length: 2\r\n\r\nhi"), "hi"},
      {"chunks", ok("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), "hi"},
      {"trailers", ok("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"), "hi"},
      {"until the connection ends", ok("\r\nhello"), "hello", {}, Eof::kCloses},
      {"until the end, empty", ok("\r\n"), "", {}, Eof::kCloses},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", "hi", {}, Eof::kCloses},
      {"no phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", ""},
      {"empty phrase", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", ""},
      {"bytes over 0x7f in the phrase",
       "HTTP/1.1 200 d\xc3\xa9j\xc3\xa0\r\nContent-Length: 0\r\n\r\n", ""},
      {"204", "HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""},
      {"HEAD with a length", ok("Content-Length: 9\r\n\r\n"), "", {Method::kHead, false}},
      {"HEAD with chunked", ok("Transfer-Encoding: chunked\r\n\r\n"), "", {Method::kHead, false}},
      {"100, then the answer", "HTTP/1.1 100 Continue\r\n\r\n" + ok("Content-Length: 2\r\n\r\nhi"),
       "hi"},
      {"103 twice, then the answer",
       "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" +
           ok("Content-Length: 2\r\n\r\nhi"),
       "hi"},
      {"101 as asked",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw",
       "",
       {Method::kGet, true}},
      {"200 to CONNECT", ok("\r\nraw"), "", {Method::kConnect, false}},
      {"404 to CONNECT",
       "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nhi",
       "hi",
       {Method::kConnect, false}},
      {"unusual status", "HTTP/1.1 799 X\r\nContent-Length: 0\r\n\r\n", ""},
      {"every kind of field name",
       ok("X-a.b_c: \"q\"\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
          "Content-Length: 0\r\n\r\n"),
       ""},
  };
  return kAll;
}

}  // namespace ringside::http
