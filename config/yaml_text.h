// YAML as raw text: what is refused before a parser sees it, and what a parser's complaint means to
// the reader.
//
// Used by yaml_tree. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "config/problem.h"
#include "config/report.h"

namespace ringside::config {

// False, with every such problem reported, when the text is over 1 MiB, holds bytes that are not
// UTF-8 text, or is indented with a tab. A tab is refused in front of any line, also inside a text
// over several lines, which no key takes.
bool check_text(std::string_view text, std::string_view source, Report& report);

// The parser's message with a hint where the line shows a usual mistake.
std::string explain_syntax(std::string_view text, const Place& place, std::string_view message);

}  // namespace ringside::config
