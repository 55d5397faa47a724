#include "config/override.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "config/address.h"
#include "config/utf8.h"

namespace ringside::config {

namespace {

// Everything below it is one name, dots and all.
constexpr std::string_view kFreeNames = "service.metadata.";

// The value as a node, or nothing with a problem reported.
std::optional<Node> value_node(std::string_view value, std::string_view source, Report& report) {
  Node node;
  node.place = Place{source, 0, 0};
  const bool yaml = value.starts_with('[') || value.starts_with('{') || value.starts_with('"') ||
                    value.starts_with('\'');
  if (yaml && !parse_address(value)) {  // [::1]:80 is an address, not a list
    return parse_yaml(value, source, report);
  }
  if (!is_one_line_of_text(value) || value.size() > kMaxExpandedBytes) {
    report.add(node.place, "", "the value is not one line of UTF-8 text");
    return std::nullopt;
  }
  node.kind = value.empty() ? Node::Kind::kNull : Node::Kind::kScalar;
  node.text = value;
  return node;
}

std::vector<std::string> split(std::string_view key) {
  std::vector<std::string> parts;
  std::string_view rest = key;
  while (true) {
    const bool free = key.starts_with(kFreeNames) && parts.size() == 2;
    const std::size_t dot = free ? std::string_view::npos : rest.find('.');
    parts.emplace_back(rest.substr(0, dot));
    if (dot == std::string_view::npos) {
      return parts;
    }
    rest.remove_prefix(dot + 1);
  }
}

// Names of upstreams are equal in both cases.
bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

// The value under `name`, made when it is missing.
Node& child(Node& block, const std::string& name, const Place& place, bool any_case) {
  if (block.kind != Node::Kind::kMap) {
    block = Node{Node::Kind::kMap, place, "", false, {}, {}};
  }
  for (Entry& entry : block.entries) {
    if (entry.key == name || (any_case && same_name(entry.key, name))) {
      return entry.value;
    }
  }
  block.entries.push_back(Entry{name, place, Node()});
  block.entries.back().value.place = place;
  return block.entries.back().value;
}

}  // namespace

Result<Override> parse_override(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("--set takes KEY=VALUE such as proxy.outbound=127.0.0.1:5140, not {}",
                            quoted(text)));
  }
  return Override{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

void apply_override(const Override& override, std::string option, Node& root,
                    std::deque<std::string>& sources, Report& report) {
  if (!is_one_line_of_text(option)) {
    option = "--set";
  }
  const std::string& source = sources.emplace_back(std::move(option));
  const Place place{source, 0, 0};
  const std::vector<std::string> parts = split(override.key);
  if (!is_one_line_of_text(override.key) || override.key.size() > 512 ||
      parts.size() >= kMaxDepth || std::ranges::find(parts, "") != parts.end()) {
    report.add(place, "", "a key is written with dots between its parts: proxy.outbound");
    return;
  }
  std::optional<Node> value = value_node(override.value, source, report);
  if (!value) {
    return;
  }
  Node* node = &root;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    node = &child(*node, parts[i], place, i == 1 && parts[0] == "upstreams");
  }
  *node = std::move(*value);
}

}  // namespace ringside::config
