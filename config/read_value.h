// One value of YAML to one field of the settings, and back to text: an overload of read, show and
// range per type of field.
//
// Used by the schema only. Pure, any thread. read() either sets the field or reports a problem and
// leaves the field alone. show() writes a value as YAML would have it; range() says for README.md
// and messages what is accepted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/yaml_tree.h"

namespace ringside::config {

// What a field accepts beyond its type.
struct Rule {
  // Numbers, with durations in milliseconds and sizes in bytes: both ends included.
  std::int64_t low = 0;
  std::int64_t high = 0;
  // Texts: puts the text in its final form and returns "", or returns what was expected.
  std::string (*check)(std::string& text) = nullptr;
  // Addresses: something others connect to (a port, no wildcard) rather than what we listen on (an
  // IP address or localhost).
  bool reached = false;
  // Optional fields: the word for none beside an empty value; "" when there is no such word.
  // Switches: "off" when they are written on and off rather than true and false.
  std::string_view none{};
  // The empty value is accepted and means the default.
  bool may_be_empty = false;
  // In place of the range that follows from the type.
  std::string_view range{};
};

struct Input {
  const Node& node;
  const Rule& rule;
  std::string_view key;  // dotted
  Report& report;

  // "expected WHAT, found …", at the node.
  void expected(std::string_view what) const;
  void problem(const Place& place, std::string_view message) const {
    report.add(place, key, message);
  }
  // The node as an unquoted word, or nothing.
  [[nodiscard]] std::optional<std::string_view> word() const;
};

// "a list", "nothing", "\"text\"".
std::string describe(const Node& node);

void read(const Input& in, bool& out);
void read(const Input& in, int& out);
void read(const Input& in, std::uint32_t& out);                 // a size
void read(const Input& in, std::optional<std::uint64_t>& out);  // an id
void read(const Input& in, double& out);
void read(const Input& in, milliseconds& out);
void read(const Input& in, std::string& out);
void read(const Input& in, Address& out);
void read(const Input& in, std::optional<Address>& out);
void read(const Input& in, Balance& out);
void read(const Input& in, Protocol& out);
void read(const Input& in, LogLevel& out);
void read(const Input& in, LogFormat& out);
void read(const Input& in, RetryOn& out);
void read(const Input& in, std::vector<std::string>& out);
void read(const Input& in, std::vector<Address>& out);
void read(const Input& in, std::vector<Voter>& out);
void read(const Input& in, std::map<std::string, std::string>& out);

std::string show(const Rule& rule, bool value);
std::string show(const Rule& rule, int value);
std::string show(const Rule& rule, std::uint32_t value);
std::string show(const Rule& rule, const std::optional<std::uint64_t>& value);
std::string show(const Rule& rule, double value);
std::string show(const Rule& rule, milliseconds value);
std::string show(const Rule& rule, const std::string& value);
std::string show(const Rule& rule, const Address& value);
std::string show(const Rule& rule, const std::optional<Address>& value);
std::string show(const Rule& rule, Balance value);
std::string show(const Rule& rule, Protocol value);
std::string show(const Rule& rule, LogLevel value);
std::string show(const Rule& rule, LogFormat value);
std::string show(const Rule& rule, const RetryOn& value);
std::string show(const Rule& rule, const std::vector<std::string>& value);
std::string show(const Rule& rule, const std::vector<Address>& value);
std::string show(const Rule& rule, const std::vector<Voter>& value);
std::string show(const Rule& rule, const std::map<std::string, std::string>& value);

std::string range(const Rule& rule, const bool* type);
std::string range(const Rule& rule, const int* type);
std::string range(const Rule& rule, const std::uint32_t* type);
std::string range(const Rule& rule, const std::optional<std::uint64_t>* type);
std::string range(const Rule& rule, const double* type);
std::string range(const Rule& rule, const milliseconds* type);
std::string range(const Rule& rule, const Balance* type);
std::string range(const Rule& rule, const Protocol* type);
std::string range(const Rule& rule, const LogLevel* type);
std::string range(const Rule& rule, const LogFormat* type);
// Every other type says its range in the rule.
std::string range(const Rule& rule, const void* type);

// Checks for Rule::check.
std::string check_label(
    std::string& text);  // one DNS label, made lower case; also used for the names of upstreams
std::string check_ring_name(std::string& text);
std::string check_host(std::string& text);
std::string check_text_value(std::string& text);
std::string check_http_path(std::string& text);
std::string check_domain(std::string& text);

}  // namespace ringside::config
