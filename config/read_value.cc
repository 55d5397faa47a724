// Scalars without a list of words behind them; read_words.cc has those, read_list.cc the
// collections.
#include "config/read_value.h"

#include <fmt/format.h>

#include <charconv>

#include "config/address.h"
#include "config/duration.h"
#include "config/utf8.h"

namespace ringside::config {

namespace {

std::string range(const Rule& rule, const std::int64_t*) {
  return fmt::format("{}..{}", rule.low, rule.high);
}

// The number, or nothing with a problem reported; `what` is the type in words.
template <typename Number>
std::optional<Number> read_number(const Input& in, std::string_view what, Number low, Number high) {
  const auto word = in.word();
  const std::string_view text = word.value_or("");
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool whole = digits.find_first_not_of("0123456789") == std::string_view::npos;
  const bool shaped = !digits.empty() && (digits.size() == 1 || digits.front() != '0' || !whole);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool huge = error == std::errc::result_out_of_range;
  const bool read = end == text.data() + text.size() && (error == std::errc() || huge);
  const std::string limits = range(in.rule, static_cast<const Number*>(nullptr));
  if (!word || !shaped || !read || !(huge || number == number)) {
    in.expected(fmt::format("{} in {}", what, limits));
    return std::nullopt;
  }
  if (huge || number < low || number > high) {
    in.problem(in.node.place, fmt::format("{} is out of range: {}", quoted(text), limits));
    return std::nullopt;
  }
  return number;
}

bool in_range(const Input& in, std::int64_t value, const std::string& limits) {
  if (value >= in.rule.low && value <= in.rule.high) {
    return true;
  }
  in.problem(in.node.place, fmt::format("{} is out of range: {}", quoted(in.node.text), limits));
  return false;
}

bool read_address(const Input& in, Address& out) {
  const std::string_view example = in.rule.reached ? "10.0.0.5:8080" : "127.0.0.1:4140";
  if (in.node.kind != Node::Kind::kScalar) {
    in.expected(fmt::format("HOST:PORT such as {}", example));
    return false;
  }
  Result<Address> address = parse_address(in.node.text);
  std::string wrong;
  if (!address) {
    wrong = address.error().message;
  } else if (in.rule.reached && address->port == 0) {
    wrong = "port 0 cannot be reached";
  } else if (in.rule.reached && is_wildcard_host(address->host)) {
    wrong = "a wildcard cannot be reached, only listened on";
  } else if (!in.rule.reached && address->host != "localhost" && !is_ip_host(address->host)) {
    wrong = "to listen, the host must be an IP address or localhost";
  }
  if (!wrong.empty()) {
    in.expected(fmt::format("HOST:PORT such as {} ({})", example, wrong));
    return false;
  }
  out = std::move(*address);
  return true;
}

}  // namespace

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kScalar: return quoted(node.text);
    case Node::Kind::kList: return "a list";
    case Node::Kind::kMap: return "a block of keys";
    case Node::Kind::kUnreadable: break;
  }
  return "a value that cannot be read";
}

void Input::expected(std::string_view what) const {
  const bool text = node.kind == Node::Kind::kScalar && node.literal;
  report.add(
      node.place, key,
      fmt::format("expected {}, found {}{}", what, text ? "the quoted text " : "", describe(node)));
}

std::optional<std::string_view> Input::word() const {
  return node.kind == Node::Kind::kScalar && !node.literal
             ? std::optional<std::string_view>(node.text)
             : std::nullopt;
}

void read(const Input& in, int& out) {
  if (const auto number =
          read_number<std::int64_t>(in, "a whole number", in.rule.low, in.rule.high)) {
    out = static_cast<int>(*number);
  }
}

void read(const Input& in, std::optional<std::uint64_t>& out) {
  if (const auto number =
          read_number<std::int64_t>(in, "a whole number", in.rule.low, in.rule.high)) {
    out = static_cast<std::uint64_t>(*number);
  }
}

void read(const Input& in, double& out) {
  const auto low = static_cast<double>(in.rule.low);
  const auto high = static_cast<double>(in.rule.high);
  if (const auto number = read_number<double>(in, "a number", low, high)) {
    out = *number;
  }
}

void read(const Input& in, milliseconds& out) {
  const Result<milliseconds> value =
      in.node.kind == Node::Kind::kScalar ? parse_duration(in.node.text) : milliseconds(0);
  if (in.node.kind != Node::Kind::kScalar || !value) {
    in.expected(fmt::format("a duration such as 100ms, 2s, 5m or 1h in {}", range(in.rule, &out)));
  } else if (in_range(in, value->count(), range(in.rule, &out))) {
    out = *value;
  }
}

void read(const Input& in, std::uint32_t& out) {
  const Result<std::uint64_t> value =
      in.node.kind == Node::Kind::kScalar ? parse_size(in.node.text) : std::uint64_t{0};
  if (in.node.kind != Node::Kind::kScalar || !value) {
    in.expected(fmt::format("a size such as 512B, 64KiB or 1MiB in {}", range(in.rule, &out)));
  } else if (in_range(in, static_cast<std::int64_t>(*value), range(in.rule, &out))) {
    out = static_cast<std::uint32_t>(*value);
  }
}

void read(const Input& in, std::string& out) {
  if (in.node.kind != Node::Kind::kScalar) {
    in.expected(in.rule.range);
    return;
  }
  std::string text = in.node.text;
  const std::string wrong = in.rule.check(text);
  if (!wrong.empty()) {
    in.expected(wrong);
  } else {
    out = std::move(text);
  }
}

void read(const Input& in, Address& out) {
  read_address(in, out);
}

void read(const Input& in, std::optional<Address>& out) {
  // Tools that rewrite YAML turn off into false, or put it in quotes to prevent that.
  const bool none = in.node.kind == Node::Kind::kScalar && in.node.text == in.rule.none;
  if (!in.rule.none.empty() && (none || in.word() == "false")) {
    out.reset();
    return;
  }
  Address address;
  if (read_address(in, address)) {
    out = std::move(address);
  }
}

std::string show(const Rule&, int value) {
  return fmt::format("{}", value);
}
std::string show(const Rule&, std::uint32_t value) {
  return show_size(value);
}
std::string show(const Rule&, double value) {
  return fmt::format("{}", value);
}
std::string show(const Rule&, milliseconds value) {
  return show_duration(value);
}
std::string show(const Rule&, const Address& value) {
  return value.to_string();
}
std::string show(const Rule&, const std::string& value) {
  return value.empty() ? "\"\"" : value;
}
std::string show(const Rule&, const std::optional<std::uint64_t>& value) {
  return value ? fmt::format("{}", *value) : "";
}
std::string show(const Rule& rule, const std::optional<Address>& value) {
  return value ? value->to_string() : std::string(rule.none);
}

std::string range(const Rule& rule, const int*) {
  return fmt::format("{}..{}", rule.low, rule.high);
}
std::string range(const Rule& rule, const double*) {
  return fmt::format("{}..{}", rule.low, rule.high);
}
std::string range(const Rule& rule, const std::optional<std::uint64_t>*) {
  return fmt::format("{}..{}", rule.low, rule.high);
}
std::string range(const Rule& rule, const std::uint32_t*) {
  return fmt::format("{}..{}", show_size(static_cast<std::uint64_t>(rule.low)),
                     show_size(static_cast<std::uint64_t>(rule.high)));
}
std::string range(const Rule& rule, const milliseconds*) {
  return fmt::format("{}..{}", show_duration(milliseconds(rule.low)),
                     show_duration(milliseconds(rule.high)));
}
std::string range(const Rule& rule, const void*) {
  return std::string(rule.range);
}

}  // namespace ringside::config
