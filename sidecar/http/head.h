// The one parsed form of an HTTP/1.1 head (RFC 9110, RFC 9112).
//
// Filled by the parsers (parser.h), written again by the writer (writer.h), read by sidecar/proxy.
// One thread at a time. All views point into the parser that owns the head and hold until that
// parser begins its next message. Fields stand in the order and case in which they came.
// Invariants: 1. names are tokens, values hold no control character but tab and no white space
// around them; 2. framing is what both our validator and llhttp read; 3. a head that was refused is
// never seen.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ringside::http {

// The methods that llhttp knows for HTTP, in its numbering.
enum class Method : std::uint8_t {
  kDelete,
  kGet,
  kHead,
  kPost,
  kPut,
  kConnect,
  kOptions,
  kTrace,
  kCopy,
  kLock,
  kMkcol,
  kMove,
  kPropfind,
  kProppatch,
  kSearch,
  kUnlock,
  kBind,
  kRebind,
  kUnbind,
  kAcl,
  kReport,
  kMkactivity,
  kCheckout,
  kMerge,
  kMsearch,
  kNotify,
  kSubscribe,
  kUnsubscribe,
  kPatch,
  kPurge,
  kMkcalendar,
  kLink,
  kUnlink,
  kSource
};
std::string_view to_string(Method method);
// Case counts; nullopt for a name that is none of them.
std::optional<Method> method_from(std::string_view name);
// RFC 9110, 9.2.2 and the registries of the WebDAV methods: may be sent twice.
bool is_idempotent(Method method);

// Fields that the proxy itself treats specially, recognised once while parsing.
enum class FieldId : std::uint8_t {
  kOther,
  kHost,
  kContentLength,
  kTransferEncoding,
  kConnection,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTrailer,
  kUpgrade,
  kProxyAuthenticate,
  kProxyAuthorization,
  kExpect,
  kXForwardedFor,
  kXForwardedOther,  // any other x-forwarded-*
  kVia,
  kXRequestId,
  kTraceparent,
  kRingside  // any x-ringside-*
};
FieldId field_id(std::string_view name);

// A set of FieldIds, e.g. FieldSet{FieldId::kRingside, FieldId::kExpect}.
class FieldSet {
 public:
  constexpr FieldSet() = default;
  template <typename... Ids>
  constexpr explicit FieldSet(FieldId first, Ids... rest) : bits_((bit(first) | ... | bit(rest))) {}
  [[nodiscard]] constexpr bool has(FieldId id) const { return (bits_ & bit(id)) != 0; }
  constexpr void add(FieldId id) { bits_ |= bit(id); }
  void clear() { bits_ = 0; }

 private:
  static constexpr std::uint32_t bit(FieldId id) { return 1U << static_cast<unsigned>(id); }
  std::uint32_t bits_ = 0;
};

struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id = FieldId::kOther;
};

// How the body's end is found.
struct Framing {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // kLength only; may be 0

  static constexpr Framing none() { return {}; }
  static constexpr Framing sized(std::uint64_t bytes) { return {Kind::kLength, bytes}; }
  static constexpr Framing chunked() { return {Kind::kChunked, 0}; }
  static constexpr Framing until_close() { return {Kind::kUntilClose, 0}; }
  [[nodiscard]] constexpr bool has_body() const {
    return kind == Kind::kChunked || kind == Kind::kUntilClose || length > 0;
  }
  bool operator==(const Framing&) const = default;
};

// What requests and responses share.
struct Head {
  int minor_version = 1;   // HTTP/1.x: 0 or 1
  bool keep_alive = true;  // the sender's word: the connection may carry another message
  bool upgrade = false;    // Connection lists `upgrade` and an Upgrade field is there
  Framing framing;
  std::vector<Field> fields;
  std::vector<std::string_view> connection;  // elements of Connection

  // The first field of that id; nullptr if there is none or its id is kOther.
  [[nodiscard]] const Field* find(FieldId id) const;
  // By name, whatever the case.
  [[nodiscard]] const Field* find(std::string_view name) const;
  [[nodiscard]] bool has(FieldId id) const { return present.has(id); }
  // True when Connection lists `name`, whatever the case.
  [[nodiscard]] bool connection_lists(std::string_view name) const;

  FieldSet present;  // the ids among `fields`
};

enum class TargetForm : std::uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };

struct RequestHead : Head {
  Method method = Method::kGet;
  TargetForm form = TargetForm::kOrigin;
  std::string_view target;
  bool expect_continue = false;  // Expect: 100-continue, HTTP/1.1 only
};

struct ResponseHead : Head {
  int status = 0;
  std::string_view reason;
  bool interim = false;  // 1xx but 101: another head follows
  bool tunnel = false;   // 101, or 2xx to CONNECT: what follows is no HTTP
};

// ASCII comparison that ignores case.
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace ringside::http
