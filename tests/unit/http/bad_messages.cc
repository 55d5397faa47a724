// Every smuggling and desync trick on record that a proxy must refuse, each with its reason.
#include "messages.h"

namespace ringside::http {
namespace {

using namespace std::string_literals;

std::string get(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}
std::string post(const std::string& lines, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body;
}
std::string chunks(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}
std::string ok(const std::string& lines) {
  return "HTTP/1.1 200 OK\r\n" + lines + "\r\n";
}

std::vector<BadMessage> bad_lines() {
  return {
      {"LF alone ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", Reason::kBareLf},
      {"LF alone ends a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", Reason::kBareLf},
      {"LF alone ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", Reason::kBareLf},
      {"LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBareLf},
      {"two empty lines before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
       Reason::kEmptyLine},
      {"CR inside a value", get("X: a\rb\r\n"), Reason::kBareCr},
      {"CR at a value's end", get("X: a\r\r\n"), Reason::kBareCr},
      {"CR inside a name", get("X\rY: a\r\n"), Reason::kBareCr},
      {"CR inside the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBareCr},
      {"CR for the space of the request line", "GET\r/ HTTP/1.1\r\nHost: a\r\n\r\n",
       Reason::kBareCr},
      {"CR behind the version", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Reason::kBareCr},
      {"NUL inside a value", get("X: a\0b\r\n"s), Reason::kNul},
      {"NUL inside a name", get("X\0: a\r\n"s), Reason::kNul},
      {"NUL inside the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, Reason::kNul},
      {"NUL first", "\0GET / HTTP/1.1\r\n"s, Reason::kNul},
      {"control character in a value", get("X: a\x01z\r\n"), Reason::kBadValue},
      {"DEL in a value", get("X: a\x7f\r\n"), Reason::kBadValue},
      {"another protocol's first byte", "\x16\x03\x01\x02", Reason::kBadRequestLine},
      {"space before the request line", " GET / HTTP/1.1\r\n", Reason::kBadRequestLine},
  };
}

std::vector<BadMessage> bad_request_lines() {
  return {
      {"no version", "GET /\r\nHost: a\r\n\r\n", Reason::kBadRequestLine},
      {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadRequestLine},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadRequestLine},
      {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
       Reason::kBadRequestLine},
      {"four parts", "GET / x HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadRequestLine},
      {"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Reason::kBadRequestLine},
      {"tab for space", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadRequestLine},
      {"unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadMethod},
      {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadMethod},
      {"method of RTSP", "SETUP / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadMethod},
      {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reason::kBadMethod},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Reason::kBadVersion},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", Reason::kBadVersion},
      {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", Reason::kBadVersion},
      {"HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", Reason::kBadVersion},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", Reason::kBadVersion},
      {"relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"byte over 0x7f in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
       Reason::kBadTarget},
      {"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"authority for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"path for CONNECT", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"CONNECT without port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"scheme with a digit", "GET h2tp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"user information", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
      {"absolute form without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
       Reason::kBadTarget},
      {"bad port", "GET http://a:8x/ HTTP/1.1\r\nHost: a\r\n\r\n", Reason::kBadTarget},
  };
}

std::vector<BadMessage> bad_fields() {
  return {
      {"line without a colon", get("Xyz\r\n"), Reason::kNoColon},
      {"line without a colon, with a space", get("X yz\r\n"), Reason::kNoColon},
      {"empty name", get(": x\r\n"), Reason::kEmptyName},
      {"empty name hides what follows", get(":\r\nX: y\r\n"), Reason::kEmptyName},
      {"space before the colon", get("X : y\r\n"), Reason::kSpaceBeforeColon},
      {"tab before the colon", get("Content-Length\t: 5\r\n"), Reason::kSpaceBeforeColon},
      {"space inside the name", get("X Y: z\r\n"), Reason::kBadName},
      {"bracket in the name", get("X[1]: z\r\n"), Reason::kBadName},
      {"byte over 0x7f in the name", get("X\xc3\xa9: z\r\n"), Reason::kBadName},
      {"folded line", get("X: a\r\n b\r\n"), Reason::kFolded},
      {"folded with a tab", get("X: a\r\n\tb\r\n"), Reason::kFolded},
      {"first field folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Reason::kFolded},
      {"line of blanks", get(" \r\n"), Reason::kFolded},
      {"length continued on the next line", get("Content-Length:\r\n 5\r\n"), Reason::kFolded},
      {"no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", Reason::kNoHost},
      {"no field at all", "GET / HTTP/1.1\r\n\r\n", Reason::kNoHost},
      {"two Hosts", get("Host: b\r\n"), Reason::kManyHosts},
      {"two equal Hosts", get("host: a\r\n"), Reason::kManyHosts},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Reason::kManyHosts},
      {"list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Reason::kBadHost},
      {"path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Reason::kBadHost},
      {"user in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Reason::kBadHost},
      {"two ports in Host", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", Reason::kBadHost},
      {"open bracket in Host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Reason::kBadHost},
      {"Connection with an element that is no token", get("Connection: a b\r\n"),
       Reason::kBadConnection},
  };
}

std::vector<BadMessage> bad_framing() {
  return {
      {"both lengths", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       Reason::kBothLengths},
      {"both lengths, other order",
       post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
       Reason::kBothLengths},
      {"empty length", post("Content-Length:\r\n", ""), Reason::kBadLength},
      {"blank length", post("Content-Length:  \r\n", ""), Reason::kBadLength},
      {"plus sign", post("Content-Length: +5\r\n", "hello"), Reason::kBadLength},
      {"minus sign", post("Content-Length: -5\r\n", "hello"), Reason::kBadLength},
      {"hexadecimal length", post("Content-Length: 0x5\r\n", "hello"), Reason::kBadLength},
      {"tab behind the length", post("Content-Length: 5\t\r\n", "hello"), Reason::kBadLength},
      {"tab behind chunked", post("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"length with a space", post("Content-Length: 1 1\r\n", "hello"), Reason::kBadLength},
      {"length list", post("Content-Length: 5, 5\r\n", "hello"), Reason::kBadLength},
      {"length with a fraction", post("Content-Length: 5.0\r\n", "hello"), Reason::kBadLength},
      {"length 2^63", post("Content-Length: 9223372036854775808\r\n", ""), Reason::kBadLength},
      {"length 2^64", post("Content-Length: 18446744073709551616\r\n", ""), Reason::kBadLength},
      {"length of 40 digits",
       post("Content-Length: 1000000000000000000000000000000000000000\r\n", ""),
       Reason::kBadLength},
      {"two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
       Reason::kManyLengths},
      {"two equal lengths", post("Content-Length: 5\r\ncontent-length: 5\r\n", "hello"),
       Reason::kManyLengths},
      {"comma before chunked", post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"comma behind chunked", post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"chunked in two fields",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), Reason::kBadCoding},
      {"gzip before chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"chunked, then identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
       Reason::kBadCoding},
      {"identity", post("Transfer-Encoding: identity\r\n", ""), Reason::kBadCoding},
      {"quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n", ""), Reason::kBadCoding},
      {"chunked with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", ""),
       Reason::kBadCoding},
      {"empty coding", post("Transfer-Encoding:\r\n", ""), Reason::kBadCoding},
      {"vertical tab before chunked",
       post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            ""),
       Reason::kBadValue},
      {"Transfer-Encoding in HTTP/1.0",
       "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       Reason::kTeOnHttp10},
      {"CONNECT with a length", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
       Reason::kConnectBody},
      {"CONNECT with chunks",
       "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       Reason::kConnectBody},
  };
}

std::vector<BadMessage> bad_chunks() {
  return {
      {"0x before the size", chunks("0x5\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"plus before the size", chunks("+5\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"minus before the size", chunks("-5\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"space before the size", chunks(" 5\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"space behind the size", chunks("5 \r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"no size", chunks("\r\nhello"), Reason::kBadChunk},
      {"extension without a size", chunks(";a\r\nhello"), Reason::kBadChunk},
      {"size that is no number", chunks("g\r\nhello"), Reason::kBadChunk},
      {"size over 64 bits", chunks("10000000000000005\r\nhello"), Reason::kBadChunk},
      {"LF alone behind the size", chunks("5\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"LF alone behind the data", chunks("5\r\nhello\n0\r\n\r\n"), Reason::kBadChunk},
      {"CR alone behind the data", chunks("5\r\nhello\r0\r\n\r\n"), Reason::kBadChunk},
      {"two bytes that are no line end", chunks("5\r\nhelloXX0\r\n\r\n"), Reason::kBadChunk},
      {"chunk longer than its size", chunks("5\r\nhello!\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"CR alone in an extension", chunks("5;a\rb\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"CR alone before a second extension", chunks("5;a\r;b\r\nhello\r\n0\r\n\r\n"),
       Reason::kBadChunk},
      {"LF alone in an extension", chunks("5;a\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"NUL in an extension", chunks("5;a\0\r\nhello\r\n"s), Reason::kBadChunk},
      {"extension without a name", chunks("5;\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"CR twice behind the size", chunks("5\r\r\nhello\r\n0\r\n\r\n"), Reason::kBadChunk},
      {"LF alone behind the last size", chunks("0\n\r\n"), Reason::kBadChunk},
      {"LF alone ends the trailers", chunks("0\r\n\n"), Reason::kBareLf},
      {"folded trailer", chunks("0\r\nA: b\r\n c\r\n\r\n"), Reason::kFolded},
      {"trailer without a colon", chunks("0\r\nGET / HTTP/1.1\r\n\r\n"), Reason::kNoColon},
      {"CR in a trailer", chunks("0\r\nA: b\rc\r\n\r\n"), Reason::kBareCr},
  };
}

}  // namespace

const std::vector<BadMessage>& bad_requests() {
  static const std::vector<BadMessage> kAll = [] {
    std::vector<BadMessage> all;
    for (const auto& part :
         {bad_lines(), bad_request_lines(), bad_fields(), bad_framing(), bad_chunks()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return kAll;
}

const std::vector<BadMessage>& bad_responses() {
  static const std::vector<BadMessage> kAll = {
      {"no HTTP", "SSH-2.0-x\r\n", Reason::kBadStatusLine},
      {"no version", "HTTP 200 OK\r\n\r\n", Reason::kBadStatusLine},
      {"HTTP/2", "HTTP/2 200\r\n\r\n", Reason::kBadVersion},
      {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", Reason::kBadStatusLine},
      {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", Reason::kBadStatusLine},
      {"status under 100", "HTTP/1.1 099 X\r\n\r\n", Reason::kBadStatusLine},
      {"status with a sign", "HTTP/1.1 +20 OK\r\n\r\n", Reason::kBadStatusLine},
      {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", Reason::kBadStatusLine},
      {"NUL in the phrase", "HTTP/1.1 200 O\0K\r\n\r\n"s, Reason::kNul},
      {"CR in the phrase", "HTTP/1.1 200 O\rK\r\n\r\n", Reason::kBareCr},
      {"LF alone", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", Reason::kBareLf},
      {"both lengths", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       Reason::kBothLengths},
      {"two lengths", ok("Content-Length: 5\r\nContent-Length: 5\r\n"), Reason::kManyLengths},
      {"bad length", ok("Content-Length: 5x\r\n"), Reason::kBadLength},
      {"coding but chunked", ok("Transfer-Encoding: gzip, chunked\r\n"), Reason::kBadCoding},
      {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       Reason::kTeOnHttp10},
      {"folded line", ok("A: b\r\n c\r\n"), Reason::kFolded},
      {"space before the colon", ok("Content-Length : 5\r\n"), Reason::kSpaceBeforeColon},
      {"empty name", ok(": x\r\n"), Reason::kEmptyName},
      {"101 that nobody asked for",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
       Reason::kUnexpectedUpgrade},
      {"interim response with a body", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello",
       Reason::kInterimBody},
      {"bytes behind the response", ok("Content-Length: 0\r\n") + "X", Reason::kUnsolicited},
      {"a second response", ok("Content-Length: 0\r\n") + ok("Content-Length: 0\r\n"),
       Reason::kUnsolicited},
      {"bad chunk", ok("Transfer-Encoding: chunked\r\n") + "5\r\nhello0\r\n\r\n",
       Reason::kBadChunk},
      {"bad trailer", ok("Transfer-Encoding: chunked\r\n") + "0\r\nA\r\n\r\n", Reason::kNoColon},
  };
  return kAll;
}

}  // namespace ringside::http
