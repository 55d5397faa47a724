#include "sidecar/admin/znode_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "config/duration.h"
#include "coord/registry/path.h"
#include "coord/registry/registry.h"
#include "sidecar/admin/url_parts.h"

namespace ringside::admin {

namespace {

// What sidecars write by themselves: made by nobody else, but an operator may delete it.
constexpr std::array<std::string_view, 2> kReservedPaths{"/ringside/services", "/ringside/config"};

std::unexpected<Trouble> refuse(TroubleWord word, std::string hint) {
  return std::unexpected(Trouble{word, std::move(hint)});
}

bool at_or_below(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

std::expected<std::string, Trouble> read_path(std::string_view raw) {
  auto path = percent_decoded(raw, false);
  if (!path) {
    return refuse(TroubleWord::kBadPath, path.error().message);
  }
  if (path->empty()) {
    return "/";
  }
  if (!coord::valid_path(*path)) {
    return refuse(
        TroubleWord::kBadPath,
        fmt::format("no legal path of a znode: /NAME/NAME… without a slash at the end, no "
                    "`.` or `..`, UTF-8 without control characters, U+D800 to U+F8FF and what is "
                    "from U+FFF0 on, {} bytes at most",
                    coord::kMaxPathBytes));
  }
  return std::move(*path);
}

class Reader {
 public:
  explicit Reader(ZnodeCall& call) : call_(call) {}

  // What is wrong with this parameter.
  std::optional<std::string> take(const std::string& name, const std::string& value) {
    const bool gets = call_.method == ZnodeMethod::kGet;
    const bool puts = call_.method == ZnodeMethod::kPut;
    const bool posts = call_.method == ZnodeMethod::kPost;
    if (name == "timeout") return timeout(value);
    if (name == "raw" && gets) return flag(value, call_.raw);
    if (name == "sync" && gets) return flag(value, call_.sync);
    if (name == "create" && puts) return flag(value, call_.create_only);
    if (name == "parents" && (puts || posts)) return flag(value, call_.parents);
    if (name == "ephemeral" && (puts || posts)) return flag(value, call_.ephemeral);
    if (name == "sequential" && posts) return flag(value, call_.sequential);
    if (name == "name" && posts) return child(value);
    if (name == "version" && !gets && !posts) return version(value);
    return fmt::format("{} is no parameter here; there are: {}", name,
                       gets    ? "raw, sync, timeout"
                       : puts  ? "create, parents, ephemeral, version, timeout"
                       : posts ? "name, sequential, parents, ephemeral, timeout"
                               : "version, timeout");
  }
  [[nodiscard]] const std::string& child_name() const { return child_; }

 private:
  static std::optional<std::string> flag(const std::string& value, bool& into) {
    const bool on = value.empty() || value == "true" || value == "1";
    if (!on && value != "false" && value != "0") {
      return "a flag is given by its name alone, or as true or false";
    }
    into = on;
    return std::nullopt;
  }
  std::optional<std::string> timeout(const std::string& value) {
    const auto parsed = config::parse_duration(value);
    if (!parsed || *parsed <= milliseconds{0} || *parsed > kMaxZnodeTimeout) {
      return fmt::format("timeout is a length of time such as 500ms or 10s, at most {}",
                         config::show_duration(kMaxZnodeTimeout));
    }
    call_.timeout = *parsed;
    return std::nullopt;
  }
  std::optional<std::string> version(const std::string& value) {
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < 0 ||
        value[0] == '-') {
      return "version is a whole number from 0 to 2147483647, as a GET gives it";
    }
    call_.version = number;
    return std::nullopt;
  }
  std::optional<std::string> child(const std::string& value) {
    if (!coord::valid_name(value)) {
      return "name is one part of a path";
    }
    child_ = value;
    return std::nullopt;
  }

  ZnodeCall& call_;
  std::string child_;
};

std::optional<Trouble> combine(ZnodeCall& call, const std::string& child) {
  if (call.method == ZnodeMethod::kPost) {
    if (child.empty() && !call.sequential) {
      return Trouble{TroubleWord::kBadQuery,
                     "POST makes a child: give ?name=NAME, or ?sequential for a number"};
    }
    call.path = (call.path == "/" ? "" : call.path) + "/" + child;
    const std::string made = call.path + (call.sequential ? coord::sequence_suffix(0) : "");
    if (!coord::valid_path(made)) {
      return Trouble{TroubleWord::kBadPath,
                     fmt::format("the path made would be over {} bytes", coord::kMaxPathBytes)};
    }
  }
  if (call.method == ZnodeMethod::kDelete && call.path == "/") {
    return Trouble{TroubleWord::kBadPath, "the root stays"};
  }
  call.create_only = call.create_only || call.ephemeral;
  if (call.method == ZnodeMethod::kPut && call.version && (call.create_only || call.parents)) {
    return Trouble{TroubleWord::kBadQuery,
                   "version asks for a node that is there; create, parents and ephemeral make one"};
  }
  const bool makes = call.method == ZnodeMethod::kPut || call.method == ZnodeMethod::kPost;
  const auto top = std::ranges::find_if(
      kReservedPaths, [&](std::string_view path) { return at_or_below(call.path, path); });
  if (makes && top != kReservedPaths.end()) {
    return Trouble{
        TroubleWord::kReserved,
        fmt::format("what stands in {} is written by sidecars alone; it can be read, and "
                    "deleted",
                    *top)};
  }
  return std::nullopt;
}

}  // namespace

std::expected<ZnodeCall, Trouble> read_znode_request(std::string_view method,
                                                     std::string_view target, std::string body) {
  ZnodeCall call;
  call.method = method == "PUT"      ? ZnodeMethod::kPut
                : method == "POST"   ? ZnodeMethod::kPost
                : method == "DELETE" ? ZnodeMethod::kDelete
                                     : ZnodeMethod::kGet;
  if (!target.starts_with(kZnodeRoute)) {
    return refuse(TroubleWord::kBadPath, fmt::format("write {} as it is", kZnodeRoute));
  }
  target.remove_prefix(kZnodeRoute.size());
  const std::size_t mark = target.find('?');
  const std::string_view raw_path = target.substr(0, mark);
  auto path = read_path(raw_path == "/" ? std::string_view{} : raw_path);
  if (!path) {
    return std::unexpected(path.error());
  }
  call.path = std::move(*path);
  const auto query =
      parse_query(mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1));
  if (!query) {
    return refuse(TroubleWord::kBadQuery, query.error().message);
  }
  Reader reader(call);
  for (const auto& [name, value] : *query) {
    if (auto wrong = reader.take(name, value)) {
      return refuse(TroubleWord::kBadQuery, std::move(*wrong));
    }
  }
  const bool carries = call.method == ZnodeMethod::kPut || call.method == ZnodeMethod::kPost;
  if (!carries && !body.empty()) {
    return refuse(TroubleWord::kBadQuery, "this method takes no body");
  }
  if (body.size() > coord::kMaxDataBytes) {
    return refuse(TroubleWord::kTooLarge,
                  fmt::format("a znode holds {} bytes at most", coord::kMaxDataBytes));
  }
  if (auto trouble = combine(call, reader.child_name())) {
    return std::unexpected(std::move(*trouble));
  }
  call.data.assign(body.begin(), body.end());
  return call;
}

}  // namespace ringside::admin
