#include "config/read_block.h"

#include <fmt/format.h>

#include "config/base/nearest.h"
#include "config/utf8.h"

namespace ringside::config {

namespace {

// Where else a key of this name belongs; empty when nowhere.
std::string elsewhere(std::string_view name) {
  for (const KeyInfo& info : known_keys()) {
    const std::string_view path = info.path;
    if (path.substr(path.rfind('.') + 1) == name) {
      return info.path;
    }
  }
  return "";
}

}  // namespace

void unknown_key(const Entry& entry, std::string_view block,
                 std::span<const std::string_view> known, Report& report) {
  if (report.full()) {  // only counted from here on: no work for it
    report.add(entry.place, "", "");
    return;
  }
  const std::string name = entry.key.size() <= 64 ? entry.key : quoted(entry.key);
  const std::string near = nearest(entry.key, known);
  const std::string other = near.empty() ? elsewhere(entry.key) : "";
  std::string hint = fmt::format("known here: {}", fmt::join(known, ", "));
  if (!near.empty()) {
    hint = fmt::format("did you mean {}?", near);
  } else if (!other.empty()) {
    hint = fmt::format("it belongs at {}", other);
  }
  report.add(entry.place, join_key(block, name), fmt::format("unknown key; {}", hint));
}

bool is_block(const Node& node, std::string_view block, std::span<const std::string_view> known,
              Report& report) {
  if (node.kind == Node::Kind::kUnreadable) {
    return false;
  }
  if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull) {
    report.add(node.place, block,
               fmt::format("expected a block of keys ({}), found {}", fmt::join(known, ", "),
                           describe(node)));
    return false;
  }
  return true;
}

}  // namespace ringside::config
