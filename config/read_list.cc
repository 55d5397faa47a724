// Fields that take a list or a map.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "config/address.h"
#include "config/base/nearest.h"
#include "config/read_value.h"
#include "config/utf8.h"

namespace ringside::config {

namespace {

constexpr std::size_t kMaxItems = 1000;
constexpr std::size_t kMaxMetadata = 64;

// Calls `each` with every item as an Input; false, reported, when the node is no list. Null is a
// list of nothing.
bool for_each_item(const Input& in, std::string_view example,
                   const std::function<void(const Input&)>& each) {
  if (in.node.kind != Node::Kind::kList && in.node.kind != Node::Kind::kNull) {
    in.expected(fmt::format("a list such as {}", example));
    return false;
  }
  if (in.node.items.size() > kMaxItems) {
    in.problem(in.node.place, fmt::format("a list of more than {}", kMaxItems));
    return false;
  }
  for (const Node& item : in.node.items) {
    if (item.kind != Node::Kind::kUnreadable) {
      each(Input{item, in.rule, in.key, in.report});
    }
  }
  return true;
}

bool read_voter(const Input& in, Voter& out) {
  const std::string_view text =
      in.node.kind == Node::Kind::kScalar ? std::string_view(in.node.text) : "";
  const std::size_t at = text.find('@');
  unsigned id = 0;
  const char* last = text.data() + (at == std::string_view::npos ? 0 : at);
  const auto [end, error] = std::from_chars(text.data(), last, id);
  if (at == std::string_view::npos || at == 0 || end != last || text.front() == '0') {
    in.expected("ID@HOST:PORT such as 1@10.0.0.5:4150");
    return false;
  }
  if (error != std::errc() || id > 255) {
    in.problem(in.node.place, fmt::format("the id of {} is out of range: 1..255", quoted(text)));
    return false;
  }
  const Result<Address> address = parse_address(text.substr(at + 1));
  if (!address || address->port == 0 || is_wildcard_host(address->host)) {
    in.expected(
        fmt::format("ID@HOST:PORT such as 1@10.0.0.5:4150 ({})",
                    address ? "a wildcard or port 0 cannot be reached" : address.error().message));
    return false;
  }
  out = Voter{id, *address};
  return true;
}

template <typename Item>
std::string show_list(const std::vector<Item>& items,
                      const std::function<std::string(const Item&)>& show_item) {
  std::string out;
  for (const Item& item : items) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", show_item(item));
  }
  return fmt::format("[{}]", out);
}

// Names of RetryOn's fields as they are written.
constexpr std::pair<std::string_view, bool RetryOn::*> kCauses[] = {
    {"connect_failure", &RetryOn::connect_failure},
    {"refused", &RetryOn::refused},
    {"reset", &RetryOn::reset},
    {"timeout", &RetryOn::timeout},
};
constexpr std::string_view kRetryOnExample = "[connect_failure, refused, reset, 503]";

void read_cause(const Input& in, RetryOn& on) {
  const std::string_view text =
      in.node.kind == Node::Kind::kScalar ? std::string_view(in.node.text) : "";
  std::vector<std::string_view> words;
  for (const auto& [word, member] : kCauses) {
    words.push_back(word);
    if (text == word) {
      if (std::exchange(on.*member, true)) {
        in.problem(in.node.place, fmt::format("{} is written twice", word));
      }
      return;
    }
  }
  int status = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, status);
  if (!text.empty() && end == last) {
    if (error != std::errc() || status < 500 || status > 599) {
      in.problem(in.node.place, fmt::format("status {} is out of range: 500..599", quoted(text)));
    } else if (std::ranges::find(on.statuses, status) != on.statuses.end()) {
      in.problem(in.node.place, fmt::format("{} is written twice", status));
    } else {
      on.statuses.push_back(status);
    }
    return;
  }
  const std::string near = nearest(text, words);
  in.expected(fmt::format("connect_failure, refused, reset, timeout or a status 500..599{}",
                          near.empty() ? "" : fmt::format(" (did you mean {}?)", near)));
}

}  // namespace

void read(const Input& in, RetryOn& out) {
  RetryOn on{false, false, false, false, {}};
  if (for_each_item(in, kRetryOnExample, [&on](const Input& item) { read_cause(item, on); })) {
    std::ranges::sort(on.statuses);
    out = std::move(on);
  }
}

void read(const Input& in, std::vector<std::string>& out) {
  std::vector<std::string> domains;
  const bool list = for_each_item(in, "[ringside]", [&domains](const Input& item) {
    std::string domain;
    read(item, domain);
    if (!domain.empty() && std::ranges::find(domains, domain) != domains.end()) {
      item.problem(item.node.place, fmt::format("{} is written twice", domain));
    } else if (!domain.empty()) {
      domains.push_back(std::move(domain));
    }
  });
  if (list) {
    out = std::move(domains);
  }
}

void read(const Input& in, std::vector<Address>& out) {
  std::vector<Address> addresses;
  const bool list = for_each_item(in, "[10.1.1.1:80]", [&addresses](const Input& item) {
    Address address;
    read(item, address);
    if (address.port != 0 && std::ranges::find(addresses, address) != addresses.end()) {
      item.problem(item.node.place, fmt::format("{} is written twice", address.to_string()));
    } else if (address.port != 0) {
      addresses.push_back(std::move(address));
    }
  });
  if (list) {
    out = std::move(addresses);
  }
}

void read(const Input& in, std::vector<Voter>& out) {
  std::vector<Voter> voters;
  const bool list = for_each_item(in, "[\"1@10.0.0.5:4150\"]", [&voters](const Input& item) {
    Voter voter;
    if (!read_voter(item, voter)) {
      return;
    }
    for (const Voter& other : voters) {
      if (other.id == voter.id) {
        item.problem(item.node.place, fmt::format("duplicate voter id {}: {} has it", voter.id,
                                                  other.address.to_string()));
        return;
      }
      if (other.address == voter.address) {
        item.problem(item.node.place, fmt::format("duplicate voter address {}: voter {} has it",
                                                  voter.address.to_string(), other.id));
        return;
      }
    }
    voters.push_back(std::move(voter));
  });
  if (list) {
    out = std::move(voters);
  }
}

void read(const Input& in, std::map<std::string, std::string>& out) {
  if (in.node.kind != Node::Kind::kMap && in.node.kind != Node::Kind::kNull) {
    in.expected("a block of keys and texts such as {version: v2}");
    return;
  }
  if (in.node.entries.size() > kMaxMetadata) {
    in.problem(in.node.place, fmt::format("more than {} entries", kMaxMetadata));
    return;
  }
  std::map<std::string, std::string> metadata;
  for (const Entry& entry : in.node.entries) {
    const Node& value = entry.value;
    std::string text = value.text;
    if (value.kind == Node::Kind::kUnreadable) {
      continue;
    }
    if (entry.key.size() > 63) {
      in.problem(entry.place, "the name of an entry is longer than 63 bytes");
    } else if (value.kind != Node::Kind::kScalar || !check_text_value(text).empty()) {
      in.problem(value.place,
                 fmt::format("{}: expected one line of text of at most 255 bytes, found {}",
                             entry.key, describe(value)));
    } else {
      metadata.emplace(entry.key, std::move(text));
    }
  }
  out = std::move(metadata);
}

std::string show(const Rule&, const RetryOn& value) {
  std::vector<std::string> words;
  for (const auto& [word, member] : kCauses) {
    if (value.*member) {
      words.emplace_back(word);
    }
  }
  for (const int status : value.statuses) {
    words.push_back(fmt::format("{}", status));
  }
  return fmt::format("[{}]", fmt::join(words, ", "));
}

std::string show(const Rule&, const std::vector<std::string>& value) {
  return fmt::format("[{}]", fmt::join(value, ", "));
}

std::string show(const Rule&, const std::vector<Address>& value) {
  return show_list<Address>(value, [](const Address& address) { return address.to_string(); });
}

std::string show(const Rule&, const std::vector<Voter>& value) {
  return show_list<Voter>(value, [](const Voter& voter) {
    return fmt::format("{}@{}", voter.id, voter.address.to_string());
  });
}

std::string show(const Rule&, const std::map<std::string, std::string>& value) {
  std::string out;
  for (const auto& [name, text] : value) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, text);
  }
  return fmt::format("{{{}}}", out);
}

}  // namespace ringside::config
