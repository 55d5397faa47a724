// Writes heads, chunks and the proxy's own answers from the parsed form; raw bytes are never passed
// on (RFC 9110, 7.6; RFC 9112).
//
// Called by sidecar/proxy. Pure: everything is appended to the caller's `out`, which keeps its
// capacity, so that nothing is allocated per message once it is warm. The values handed in (edits)
// are ours and must hold no control character.
// Left out always: Connection and what it lists (but Host, framing and x-forwarded-*), Keep-Alive,
// Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, Upgrade unless tunnelling, TE but for
// `trailers`, Transfer-Encoding (framing is written by us, in the place of the field it replaces).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sidecar/http/head.h"

namespace ringside::http {

struct NewField {
  std::string_view name;
  std::string_view value;
};

// A list field whose last instance gets `, value` at its end, or is added when there is none:
// X-Forwarded-For, Via.
struct AppendedField {
  FieldId id = FieldId::kOther;
  std::string_view name;
  std::string_view value;
};

// The Connection field that is written.
enum class ConnectionOption : std::uint8_t {
  kNone,       // HTTP/1.1 keeps alive by default
  kClose,      //
  kKeepAlive,  // for an HTTP/1.0 peer that asked
  kUpgrade,    // pass Upgrade on, with `Connection: upgrade`
};

// The target that is sent: prefix, then rest (two views, so that nothing is copied).
struct Target {
  std::string_view prefix;
  std::string_view rest;
};

struct RequestEdits {
  Target target{};          // both empty: as received
  std::string_view host{};  // not empty: the value of Host, added first if there is none
  Framing framing{};        // of the body as it will be sent
  ConnectionOption connection = ConnectionOption::kNone;
  FieldSet drop{};                          // fields left out besides those that always are
  std::span<const AppendedField> append{};  // at most 8
  std::span<const NewField> add{};          // at the end
};

struct ResponseEdits {
  Framing framing{};
  // See keeps_framing_fields(): the received Content-Length or Transfer-Encoding stays.
  bool keep_framing_fields = false;
  ConnectionOption connection = ConnectionOption::kNone;
  FieldSet drop{};
  std::span<const AppendedField> append{};
  std::span<const NewField> add{};
};

// Both append a complete head, always as HTTP/1.1.
void write_request_head(const RequestHead& head, const RequestEdits& edits, std::string& out);
void write_response_head(const ResponseHead& head, const ResponseEdits& edits, std::string& out);

// The framing in which a response with that head goes to a client that sent `request`: chunked
// becomes until_close for HTTP/1.0, until_close becomes chunked for HTTP/1.1.
Framing response_framing(const RequestHead& request, const ResponseHead& response);

// True where the framing fields of a response without a body say what a GET would have got (HEAD,
// 304), so that they are passed on. 1xx, 204 and 2xx to CONNECT have none (RFC 9110, 8.6), and
// HTTP/1.0 knows no codings.
bool keeps_framing_fields(const RequestHead& request, const ResponseHead& response);

// `HEX CRLF`; the data and kChunkEnd follow. `size` must not be 0 (that is kLastChunk).
class ChunkHeader {
 public:
  explicit ChunkHeader(std::uint64_t size);
  [[nodiscard]] std::string_view view() const {
    return {text_.data() + begin_, text_.size() - begin_};
  }

 private:
  std::array<char, 18> text_{};
  std::size_t begin_;
};
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
// The last chunk with trailers.
void write_last_chunk(std::span<const Field> trailers, std::string& out);

// A whole answer of the proxy itself, with Content-Length. `head_only` for HEAD: length, no body.
struct OwnResponse {
  int status = 200;
  std::span<const NewField> fields{};
  std::string_view body{};
  bool head_only = false;
  ConnectionOption connection = ConnectionOption::kNone;
};
void write_own_response(const OwnResponse& response, std::string& out);

// Our own 200 to a CONNECT: what follows is the tunnel, so there is no length (RFC 9110, 9.3.6).
void write_connected(std::span<const NewField> fields, std::string& out);

// The standard phrase, or "" for a status without one.
std::string_view status_phrase(int status);

}  // namespace ringside::http
