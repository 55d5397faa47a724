#include "config/expand_env.h"

#include <fmt/format.h>

#include "config/utf8.h"

namespace ringside::config {

namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
constexpr std::string_view kLettersAndDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

// `inner` is what stands between the braces.
Result<std::string> expand_one(std::string_view inner, const EnvLookup& env) {
  const std::size_t mark = inner.find(":-");
  const std::string_view name = inner.substr(0, mark);
  if (name.empty() || kLetters.find(name.front()) == std::string_view::npos ||
      name.find_first_not_of(kLettersAndDigits) != std::string_view::npos) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format(
            "{} is no variable: write ${{VAR}} or ${{VAR:-default}}, or $${{ for a plain ${{",
            quoted(fmt::format("${{{}}}", inner))));
  }
  if (mark != std::string_view::npos && inner.find("${") != std::string_view::npos) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the default of ${{{}}} holds another ${{…}}, which is not expanded", name));
  }
  std::optional<std::string> value = env(name);
  if (mark != std::string_view::npos && (!value || value->empty())) {
    return std::string(inner.substr(mark + 2));
  }
  if (!value) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format(
            "${{{0}}} is not set in the environment; set it, or write a default: ${{{0}:-…}}",
            name));
  }
  if (!is_one_line_of_text(*value)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the value of ${{{}}} is not one line of UTF-8 text", name));
  }
  return std::move(*value);
}

}  // namespace

Result<std::string> expand_env(std::string_view text, const EnvLookup& env) {
  std::string out;
  while (true) {
    const std::size_t begin = text.find("${");
    if (begin == std::string_view::npos) {
      out += text;
      break;
    }
    if (begin > 0 && text[begin - 1] == '$') {
      out += text.substr(0, begin - 1);
      out += "${";
      text.remove_prefix(begin + 2);
      continue;
    }
    out += text.substr(0, begin);
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos) {
      return fail(ErrorCode::kInvalid, "a ${ has no closing }");
    }
    Result<std::string> value = expand_one(text.substr(begin + 2, end - begin - 2), env);
    if (!value) {
      return value;
    }
    out += *value;
    if (out.size() > kMaxExpandedBytes) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  if (out.size() > kMaxExpandedBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the value is longer than {} bytes once ${{…}} is expanded",
                            kMaxExpandedBytes));
  }
  return out;
}

}  // namespace ringside::config
