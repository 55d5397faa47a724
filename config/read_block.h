// A block of keys, read by the rows of the schema: sections within sections, unknown keys with a
// suggestion.
//
// Used by yaml_reader only. Pure, any thread.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "config/yaml_tree.h"

namespace ringside::config {

// Reports the unknown key; `known` are the names possible here.
void unknown_key(const Entry& entry, std::string_view block,
                 std::span<const std::string_view> known, Report& report);

// The node as a block of keys (null is an empty one); false, reported, when it is something else.
bool is_block(const Node& node, std::string_view block, std::span<const std::string_view> known,
              Report& report);

// The names that may stand in the section `inside` of the part ("" is its top), each once.
template <typename Target>
std::vector<std::string_view> names_in(std::span<const Key<Target>> keys, std::string_view inside) {
  std::vector<std::string_view> names;
  for (const Key<Target>& row : keys) {
    if (!inside.empty() &&
        !(row.path.starts_with(inside) && row.path.substr(inside.size()).starts_with('.'))) {
      continue;
    }
    std::string_view name = row.path.substr(inside.empty() ? 0 : inside.size() + 1);
    name = name.substr(0, name.find('.'));
    if (std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

// Reads the entries of a block. `block` is where the part begins in the file ("service",
// "upstreams.payments", "" for the process), `inside` the section of the part.
template <typename Target>
struct BlockReader {
  std::span<const Key<Target>> keys;
  std::string block;
  Report& report;
  Target& out;

  void read(const Node& node, const std::string& inside) const {
    const std::vector<std::string_view> names = names_in(keys, inside);
    if (!is_block(node, inside.empty() ? block : join_key(block, inside), names, report)) {
      return;
    }
    for (const Entry& entry : node.entries) {
      read_entry(entry, inside, names);
    }
  }

  void read_entry(const Entry& entry, const std::string& inside,
                  std::span<const std::string_view> names) const {
    const std::string path = join_key(inside, entry.key);
    const std::string full = join_key(block, path);
    // A dot within a key is no way into a section.
    if (std::ranges::find(names, entry.key) == names.end()) {
      unknown_key(entry, join_key_or(block, inside), names, report);
      return;
    }
    const Node::Kind kind = entry.value.kind;
    if (kind == Node::Kind::kUnreadable) {
      return;
    }
    const auto row = std::ranges::find(keys, path, &Key<Target>::path);
    const bool section = !names_in(keys, path).empty();
    if (section && (row == keys.end() || kind != Node::Kind::kScalar)) {
      report.wrote(full, entry.place);
      read(entry.value, path);
      return;
    }
    row->read(Input{entry.value, row->rule, full, report}, out);
    report.wrote(full, entry.value.place);
  }

 private:
  static std::string join_key_or(const std::string& outer, const std::string& inner) {
    return inner.empty() ? outer : join_key(outer, inner);
  }
};

}  // namespace ringside::config
