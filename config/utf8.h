// Is this text? UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF) without
// control characters.
//
// Used on the raw YAML, on what the environment gives and on text in messages. Pure, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ringside::config {

// Length of the UTF-8 sequence at the start of text, 0 when that is not valid; text is not empty.
std::size_t utf8_sequence(std::string_view text);

// Control characters of ASCII other than tab, line feed and carriage return; and DEL.
bool is_control(char letter);

// Valid UTF-8 with no control character at all, not even a tab or line break.
bool is_one_line_of_text(std::string_view text);

// For messages: in quotes, control characters and bad bytes as \xNN, cut after about 60 bytes.
std::string quoted(std::string_view text);

}  // namespace ringside::config
