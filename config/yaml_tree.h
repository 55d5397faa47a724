// YAML text to a tree of values with places, and nothing that a configuration should not hold.
// yaml_tree.cc is the only file that sees yaml-cpp (0.7), whose exceptions end there.
//
// Used by yaml_reader. Pure, one call per text, any thread. The text may come from anywhere: it is
// refused when it is over 1 MiB, empty, not UTF-8, binary, indented with tabs, nested deeper than
// kMaxDepth, larger than kMaxNodes, or holds an alias, an anchor, a tag, a duplicate key, a key
// that is no plain word, or a second document. yaml-cpp finds none of the latter and recurses as
// deep as the text says, so its events are checked as they come.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/expand_env.h"
#include "config/problem.h"
#include "config/report.h"

namespace ringside::config {

inline constexpr std::size_t kMaxYamlBytes = 1024 * 1024;
inline constexpr std::size_t kMaxDepth = 16;
inline constexpr std::size_t kMaxNodes = 65536;

struct Entry;

struct Node {
  // kUnreadable: a problem about it is already reported, so readers pass over it in silence.
  enum class Kind { kNull, kScalar, kList, kMap, kUnreadable };

  Kind kind = Kind::kNull;
  Place place;
  std::string text;      // kScalar
  bool literal = false;  // kScalar: written in quotes and without ${…}, so it is text and no number
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap: in the order written, keys distinct
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Node value;
};

// Nothing when the text as a whole cannot be read; problems are in the report. `source` outlives
// the tree.
std::optional<Node> parse_yaml(std::string_view text, std::string_view source, Report& report);

// Expands ${VAR} in every scalar of the tree, in place; a plain scalar that comes out empty is
// null. `key` is the dotted key of the node, for messages.
void expand_tree(Node& node, const std::string& key, const EnvLookup& env, Report& report);

// a.b, or b where a is empty.
std::string join_key(std::string_view block, std::string_view key);

}  // namespace ringside::config
