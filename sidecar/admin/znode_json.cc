#include "sidecar/admin/znode_json.h"

#include <nlohmann/json.hpp>

#include "config/utf8.h"
#include "sidecar/admin/json_text.h"

namespace ringside::admin {

namespace {

using json = nlohmann::ordered_json;

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = config::utf8_sequence(text);
    if (size == 0) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[at]))
                               : 0U;
    };
    const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    out += kDigits[group >> 18U];
    out += kDigits[(group >> 12U) & 63U];
    out += i + 1 < bytes.size() ? kDigits[(group >> 6U) & 63U] : '=';
    out += i + 2 < bytes.size() ? kDigits[group & 63U] : '=';
  }
  return out;
}

json stat_of(const coord::Stat& stat) {
  return {{"czxid", stat.czxid.to_string()},
          {"mzxid", stat.mzxid.to_string()},
          {"pzxid", stat.pzxid.to_string()},
          {"ctime", stat.ctime.time_since_epoch().count()},
          {"mtime", stat.mtime.time_since_epoch().count()},
          {"version", stat.version},
          {"cversion", stat.cversion},
          {"ephemeral_owner", hex(stat.ephemeral_owner.value)},
          {"data_length", stat.data_length},
          {"num_children", stat.num_children}};
}

}  // namespace

std::string znode_json(const ZnodeRead& read) {
  json out{{"path", read.path}};
  if (is_utf8(read.data)) {
    out["data"] = read.data;
  } else {
    out["data"] = base64(read.data);
    out["encoding"] = "base64";
  }
  out["version"] = read.stat.version;
  out["stat"] = stat_of(read.stat);
  out["children"] = read.children ? json(*read.children) : json(nullptr);
  out["zxid"] = read.zxid.to_string();
  out["stale"] = read.stale;
  return text_of(out);
}

std::string znode_json(const ZnodeWritten& written) {
  return text_of({{"path", written.path},
                  {"created", written.created},
                  {"version", written.stat ? json(written.stat->version) : json(nullptr)},
                  {"stat", written.stat ? stat_of(*written.stat) : json(nullptr)},
                  {"zxid", written.zxid.to_string()}});
}

std::string znode_json(const ZnodeDeleted& deleted) {
  return text_of({{"path", deleted.path}, {"zxid", deleted.zxid.to_string()}});
}

}  // namespace ringside::admin
