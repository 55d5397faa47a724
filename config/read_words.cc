// Fields that take one of a few words, and checks of texts.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "config/address.h"
#include "config/base/nearest.h"
#include "config/read_value.h"
#include "config/utf8.h"

namespace ringside::config {

namespace {

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

constexpr std::array kSwitch{Word<bool>{"true", true}, Word<bool>{"false", false},
                             Word<bool>{"on", true}, Word<bool>{"off", false}};
constexpr std::array kBalances{Word<Balance>{"round_robin", Balance::kRoundRobin},
                               Word<Balance>{"weighted", Balance::kWeighted},
                               Word<Balance>{"least_connection", Balance::kLeastConnection}};
constexpr std::array<std::string_view, 5> kLaterBalances{"peak_ewma", "random", "consistent_hash",
                                                         "maglev", "load_aware"};
constexpr std::array kProtocols{Word<Protocol>{"http", Protocol::kHttp},
                                Word<Protocol>{"tcp", Protocol::kTcp}};
constexpr std::array kLevels{
    Word<LogLevel>{"debug", LogLevel::kDebug}, Word<LogLevel>{"info", LogLevel::kInfo},
    Word<LogLevel>{"warn", LogLevel::kWarn}, Word<LogLevel>{"error", LogLevel::kError}};
constexpr std::array kFormats{Word<LogFormat>{"json", LogFormat::kJson},
                              Word<LogFormat>{"text", LogFormat::kText}};

template <typename Value>
std::string list(std::span<const Word<Value>> words) {
  std::string out;
  for (const Word<Value>& word : words) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", word.text);
  }
  return out;
}

// `what` names the kind of word in messages: "policy". `later` are known, but not in this version.
template <typename Value, std::size_t kSize>
void read_word(const Input& in, const std::array<Word<Value>, kSize>& words, std::string_view what,
               Value& out, std::span<const std::string_view> later = {}) {
  const std::string known = list(std::span<const Word<Value>>(words));
  if (in.node.kind != Node::Kind::kScalar) {
    in.expected(fmt::format("one of {}", known));
    return;
  }
  const std::string_view text = in.node.text;
  if (const auto found = std::ranges::find(words, text, &Word<Value>::text); found != words.end()) {
    out = found->value;
    return;
  }
  if (std::ranges::find(later, text) != later.end()) {
    in.problem(in.node.place,
               fmt::format("{} {} is not in this version; known: {}", what, text, known));
    return;
  }
  std::vector<std::string_view> all(later.begin(), later.end());
  std::ranges::transform(words, std::back_inserter(all), &Word<Value>::text);
  const std::string near = nearest(text, all);
  const std::string later_text =
      later.empty() ? "" : fmt::format("; not in this version: {}", fmt::join(later, ", "));
  in.problem(in.node.place, fmt::format("unknown {} {}; {}known: {}{}", what, quoted(text),
                                        near.empty() ? "" : fmt::format("did you mean {}? ", near),
                                        known, later_text));
}

template <typename Value, std::size_t kSize>
std::string show_word(const std::array<Word<Value>, kSize>& words, Value value) {
  return std::string(std::ranges::find(words, value, &Word<Value>::value)->text);
}

bool is_letter_or_digit(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
}

void lower(std::string& text) {
  for (char& letter : text) {
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
}

}  // namespace

void read(const Input& in, bool& out) {
  const bool on_or_off = in.rule.none == "off";
  // A word like any other, also in quotes, which some tools put around on and off.
  const std::string& text = in.node.text;
  const bool quoted_word = in.node.literal && on_or_off && (text == "on" || text == "off");
  const std::string_view word = quoted_word ? text : in.word().value_or("");
  const auto found = std::ranges::find(kSwitch, word, &Word<bool>::text);
  if (found == kSwitch.end()) {
    in.expected(on_or_off ? "on or off" : "true or false");
  } else {
    out = found->value;
  }
}
void read(const Input& in, Balance& out) {
  read_word(in, kBalances, "policy", out, kLaterBalances);
}
void read(const Input& in, Protocol& out) {
  read_word(in, kProtocols, "protocol", out);
}
void read(const Input& in, LogLevel& out) {
  read_word(in, kLevels, "level", out);
}
void read(const Input& in, LogFormat& out) {
  read_word(in, kFormats, "format", out);
}

std::string show(const Rule& rule, bool value) {
  return rule.none == "off" ? (value ? "on" : "off") : (value ? "true" : "false");
}
std::string show(const Rule&, Balance value) {
  return show_word(kBalances, value);
}
std::string show(const Rule&, Protocol value) {
  return show_word(kProtocols, value);
}
std::string show(const Rule&, LogLevel value) {
  return show_word(kLevels, value);
}
std::string show(const Rule&, LogFormat value) {
  return show_word(kFormats, value);
}

std::string range(const Rule& rule, const bool*) {
  return rule.none == "off" ? "on, off" : "true, false";
}
std::string range(const Rule&, const Balance*) {
  return list(std::span<const Word<Balance>>(kBalances));
}
std::string range(const Rule&, const Protocol*) {
  return list(std::span<const Word<Protocol>>(kProtocols));
}
std::string range(const Rule&, const LogLevel*) {
  return list(std::span<const Word<LogLevel>>(kLevels));
}
std::string range(const Rule&, const LogFormat*) {
  return list(std::span<const Word<LogFormat>>(kFormats));
}

std::string check_label(std::string& text) {
  lower(text);
  bool good = !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-';
  bool digits = true;
  for (const char letter : text) {
    good = good && (is_letter_or_digit(letter) || letter == '-');
    digits = digits && letter >= '0' && letter <= '9';
  }
  if (!good) {
    return "one DNS label (1 to 63 letters, digits and inner hyphens)";
  }
  return digits || text == "localhost"
             ? "a name that is no address (a number or localhost would be one)"
             : "";
}

std::string check_ring_name(std::string& text) {
  bool good = !text.empty() && text.size() <= 63;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    const char letter = text[i] >= 'A' && text[i] <= 'Z' ? 'a' : text[i];
    good =
        is_letter_or_digit(letter) || (i > 0 && (letter == '-' || letter == '_' || letter == '.'));
  }
  return good ? ""
              : "1 to 63 letters, digits, dots, hyphens and underscores, beginning with a letter "
                "or digit";
}

std::string check_host(std::string& text) {
  Result<std::string> host = parse_host(text);
  if (!host) {
    return fmt::format("a host without a port ({})", host.error().message);
  }
  text = std::move(*host);
  return is_wildcard_host(text) ? "a host that others can reach, not a wildcard" : "";
}

std::string check_text_value(std::string& text) {
  return text.size() <= 255 && is_one_line_of_text(text) ? ""
                                                         : "one line of text of at most 255 bytes";
}

std::string check_http_path(std::string& text) {
  bool good = text.starts_with('/') && text.size() <= 1024;
  for (const char letter : text) {
    good = good && letter > ' ' && letter < 0x7f && letter != '#';
  }
  return good ? "" : "a path such as /healthz, at most 1024 bytes of ASCII without blanks";
}

std::string check_domain(std::string& text) {
  const Result<std::string> name = parse_host(text.starts_with('.') ? text.substr(1) : text);
  if (!name || is_ip_host(*name)) {
    return "a DNS suffix such as ringside or svc.cluster.local";
  }
  text = *name;
  return "";
}

}  // namespace ringside::config
