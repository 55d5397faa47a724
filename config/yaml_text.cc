#include "config/yaml_text.h"

#include <fmt/format.h>

#include "config/utf8.h"
#include "config/yaml_tree.h"

namespace ringside::config {

namespace {

// Column (from 1) of the first byte of the line that is no text, 0 when there is none.
int bad_byte(std::string_view line) {
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t size = utf8_sequence(line.substr(i));
    if (size == 0 || is_control(line[i])) {
      return static_cast<int>(i) + 1;
    }
    i += size;
  }
  return 0;
}

// Column (from 1) of a tab among the blanks before the line's first word, 0 when there is none. A
// line of blanks, or with nothing but a comment, is indented anyhow.
int tab_in_indent(std::string_view line) {
  const std::size_t word = line.find_first_not_of(" \t\r");
  const std::size_t tab = line.find('\t');
  const bool none = word == std::string_view::npos || line[word] == '#' || tab >= word;
  return none ? 0 : static_cast<int>(tab) + 1;
}

std::string_view line_at(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

bool check_text(std::string_view text, std::string_view source, Report& report) {
  if (text.size() > kMaxYamlBytes) {
    report.add(Place{source, 1, 1}, "",
               fmt::format("the file has {} bytes, more than 1 MiB; it is not read", text.size()));
    return false;
  }
  bool good = true;
  for (int line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string_view content = text.substr(0, end);
    if (const int column = bad_byte(content)) {
      const auto byte = static_cast<unsigned char>(content[static_cast<std::size_t>(column) - 1]);
      report.add(Place{source, line, column}, "",
                 fmt::format("byte 0x{:02x} is {}: the file must be UTF-8 text", byte,
                             byte < 0x80 ? "a control character" : "not valid UTF-8"));
      return false;  // what follows is probably no text either
    }
    if (const int column = tab_in_indent(content)) {
      report.add(Place{source, line, column}, "",
                 "a tab in the indentation: YAML is indented with spaces");
      good = false;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return good;
}

std::string explain_syntax(std::string_view text, const Place& place, std::string_view message) {
  const std::string_view line = line_at(text, place.line);
  std::string_view hint;
  if (line.find("${") != std::string_view::npos &&
      line.find_first_of("[{") != line.find("${") + 1) {
    hint = "; inside [ ] or { } put \"${VAR}\" in quotes";
  } else if (line.find("[:") != std::string_view::npos ||
             line.find("]:") != std::string_view::npos) {
    hint = "; put an IPv6 address in quotes: \"[::1]:80\"";
  }
  if (message.find("EOF in scalar") != std::string_view::npos) {
    hint = "; a quote (\" or ') is not closed";
  } else if (hint.empty() && message.find("flow not found") != std::string_view::npos) {
    hint = "; a [ or { before here is not closed, or a comma is missing";
  }
  return fmt::format("not valid YAML: {}{}", message, hint);
}

}  // namespace ringside::config
