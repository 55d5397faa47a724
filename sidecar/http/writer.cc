#include "sidecar/http/writer.h"

#include <algorithm>
#include <charconv>

#include "sidecar/http/chars.h"

namespace ringside::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMaxAppended = 8;
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

constexpr FieldSet kAlwaysDropped{FieldId::kConnection, FieldId::kKeepAlive,
                                  FieldId::kProxyConnection, FieldId::kProxyAuthenticate,
                                  FieldId::kProxyAuthorization};
// What Connection may not remove.
constexpr FieldSet kEndToEnd{FieldId::kHost, FieldId::kContentLength, FieldId::kTransferEncoding,
                             FieldId::kXForwardedFor, FieldId::kXForwardedOther};

void write_number(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void write_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append(kLineEnd);
}

// Writes the fields of one head in their order.
class FieldWriter {
 public:
  FieldWriter(const Head& head, const Framing& framing, ConnectionOption connection, FieldSet drop,
              std::span<const AppendedField> append, std::string& out)
      : head_(head),
        framing_(framing),
        connection_(connection),
        drop_(drop),
        append_(append.first(std::min(append.size(), kMaxAppended))),
        out_(out) {
    find_last_instances();
  }

  // A request's Host gets this value.
  void set_host(std::string_view host) { host_ = host; }
  // Received framing fields pass as they are; `framing` counts no more.
  void keep_framing_fields() { keep_framing_fields_ = true; }

  void write(std::span<const NewField> add) {
    if (!host_.empty() && !head_.has(FieldId::kHost)) {
      write_field("Host", host_, out_);
    }
    for (std::size_t i = 0; i < head_.fields.size(); ++i) {
      write_received(i);
    }
    for (std::size_t i = 0; i < append_.size(); ++i) {
      if (last_instance_[i] == kNowhere) {
        write_field(append_[i].name, append_[i].value, out_);
      }
    }
    if (!keep_framing_fields_ && !framing_written_) {
      write_framing("");
    }
    write_connection();
    for (const NewField& field : add) {
      write_field(field.name, field.value, out_);
    }
    out_.append(kLineEnd);
  }

 private:
  void find_last_instances() {
    last_instance_.fill(kNowhere);
    for (std::size_t i = 0; i < append_.size(); ++i) {
      const FieldId id = append_[i].id;
      if (id == FieldId::kOther || drop_.has(id) || !head_.has(id)) {
        continue;
      }
      for (std::size_t at = head_.fields.size(); at-- > 0;) {
        if (head_.fields[at].id == id) {
          last_instance_[i] = at;
          break;
        }
      }
    }
  }

  [[nodiscard]] bool is_dropped(const Field& field) const {
    if (kAlwaysDropped.has(field.id) || drop_.has(field.id)) {
      return true;
    }
    return !head_.connection.empty() && !kEndToEnd.has(field.id) && field.id != FieldId::kUpgrade &&
           field.id != FieldId::kTe && head_.connection_lists(field.name);
  }

  void write_received(std::size_t i) {
    const Field& field = head_.fields[i];
    if (is_dropped(field)) {
      return;
    }
    switch (field.id) {
      case FieldId::kHost:
        write_field(field.name, host_.empty() ? field.value : host_, out_);
        return;
      case FieldId::kContentLength:
      case FieldId::kTransferEncoding:
        if (keep_framing_fields_) {
          write_field(field.name, field.value, out_);
        } else if (!framing_written_) {
          write_framing(same_kind(field.id) ? field.name : "");
        }
        return;
      case FieldId::kUpgrade:
        if (connection_ == ConnectionOption::kUpgrade) {
          write_field(field.name, field.value, out_);
        }
        return;
      case FieldId::kTe:
        if (!te_trailers_ && lists_trailers(field.value)) {
          te_trailers_ = true;
          write_field(field.name, "trailers", out_);
        }
        return;
      case FieldId::kTrailer:
        if (framing_.kind == Framing::Kind::kChunked) {
          write_field(field.name, field.value, out_);
        }
        return;
      default: write_appending(i); return;
    }
  }

  void write_appending(std::size_t i) {
    const Field& field = head_.fields[i];
    out_.append(field.name).append(": ").append(field.value);
    for (std::size_t at = 0; at < append_.size(); ++at) {
      if (last_instance_[at] == i) {
        out_.append(field.value.empty() ? "" : ", ").append(append_[at].value);
      }
    }
    out_.append(kLineEnd);
  }

  [[nodiscard]] bool same_kind(FieldId id) const {
    return framing_.kind ==
           (id == FieldId::kContentLength ? Framing::Kind::kLength : Framing::Kind::kChunked);
  }

  static bool lists_trailers(std::string_view te) {
    return !each_element(
        te, [](std::string_view element) { return !equals_ignoring_case(element, "trailers"); });
  }

  void write_framing(std::string_view name) {
    framing_written_ = true;
    if (framing_.kind == Framing::Kind::kLength) {
      out_.append(name.empty() ? "Content-Length" : name).append(": ");
      write_number(framing_.length, out_);
      out_.append(kLineEnd);
    } else if (framing_.kind == Framing::Kind::kChunked) {
      write_field(name.empty() ? "Transfer-Encoding" : name, "chunked", out_);
    }
  }

  // TE must be listed where it is sent (RFC 9110, 10.1.4).
  void write_connection() {
    std::string_view option;
    switch (connection_) {
      case ConnectionOption::kNone: break;
      case ConnectionOption::kClose: option = "close"; break;
      case ConnectionOption::kKeepAlive: option = "keep-alive"; break;
      case ConnectionOption::kUpgrade: option = "upgrade"; break;
    }
    if (option.empty() && !te_trailers_) {
      return;
    }
    out_.append("Connection: ").append(option);
    if (te_trailers_) {
      out_.append(option.empty() ? "TE" : ", TE");
    }
    out_.append(kLineEnd);
  }

  const Head& head_;
  Framing framing_;
  ConnectionOption connection_;
  FieldSet drop_;
  std::span<const AppendedField> append_;
  std::string& out_;
  std::string_view host_;
  bool keep_framing_fields_ = false;
  bool framing_written_ = false;
  bool te_trailers_ = false;
  std::array<std::size_t, kMaxAppended> last_instance_{};
};

void write_status_line(int status, std::string_view reason, std::string& out) {
  out.append("HTTP/1.1 ");
  write_number(static_cast<std::uint64_t>(status), out);
  out.append(" ").append(reason).append(kLineEnd);
}

}  // namespace

void write_request_head(const RequestHead& head, const RequestEdits& edits, std::string& out) {
  const bool same_target = edits.target.prefix.empty() && edits.target.rest.empty();
  out.append(to_string(head.method)).append(" ").append(edits.target.prefix);
  out.append(same_target ? head.target : edits.target.rest).append(" HTTP/1.1\r\n");
  FieldWriter fields(head, edits.framing, edits.connection, edits.drop, edits.append, out);
  fields.set_host(edits.host);
  fields.write(edits.add);
}

void write_response_head(const ResponseHead& head, const ResponseEdits& edits, std::string& out) {
  write_status_line(head.status, head.reason, out);
  FieldWriter fields(head, edits.framing, edits.connection, edits.drop, edits.append, out);
  if (edits.keep_framing_fields) {
    fields.keep_framing_fields();
  }
  fields.write(edits.add);
}

Framing response_framing(const RequestHead& request, const ResponseHead& response) {
  const bool old_client = request.minor_version == 0;
  switch (response.framing.kind) {
    case Framing::Kind::kChunked:
    case Framing::Kind::kUntilClose:
      return old_client ? Framing::until_close() : Framing::chunked();
    default: return response.framing;
  }
}

bool keeps_framing_fields(const RequestHead& request, const ResponseHead& response) {
  return response.framing.kind == Framing::Kind::kNone && response.status / 100 != 1 &&
         response.status != 204 && !response.tunnel &&
         !(request.minor_version == 0 && response.has(FieldId::kTransferEncoding));
}

ChunkHeader::ChunkHeader(std::uint64_t size) : begin_(text_.size()) {
  text_[--begin_] = '\n';
  text_[--begin_] = '\r';
  do {
    text_[--begin_] = "0123456789abcdef"[size % 16];
    size /= 16;
  } while (size != 0);
}

void write_last_chunk(std::span<const Field> trailers, std::string& out) {
  out.append("0\r\n");
  for (const Field& field : trailers) {
    write_field(field.name, field.value, out);
  }
  out.append(kLineEnd);
}

void write_own_response(const OwnResponse& response, std::string& out) {
  write_status_line(response.status, status_phrase(response.status), out);
  Head head;
  FieldWriter fields(head, Framing::sized(response.body.size()), response.connection, FieldSet{},
                     {}, out);
  fields.write(response.fields);
  if (!response.head_only) {
    out.append(response.body);
  }
}

void write_connected(std::span<const NewField> fields, std::string& out) {
  write_status_line(200, status_phrase(200), out);
  const Head none;
  FieldWriter writer(none, Framing::none(), ConnectionOption::kNone, FieldSet{}, {}, out);
  writer.write(fields);
}

std::string_view status_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 421: return "Misdirected Request";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "";
  }
}

}  // namespace ringside::http
