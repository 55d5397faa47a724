#include "sidecar/app/kept_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "config/address.h"
#include "sidecar/disk/data_dir.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::app {

namespace {

constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxVotersBytes = 128 * 1024;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

// "ID@HOST:PORT"
std::optional<config::Voter> voter_of(std::string_view line) {
  const auto at = line.find('@');
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const auto id = number(line.substr(0, at));
  const auto address = config::parse_address(line.substr(at + 1));
  if (!id || *id == 0 || *id > coord::kMaxVoterId || !address) {
    return std::nullopt;
  }
  return config::Voter{*id, *address};
}

std::string in(const std::string& directory, std::string_view file) {
  return fmt::format("{}/{}", directory, file);
}

std::set<std::uint64_t> ids(const std::vector<config::Voter>& voters) {
  std::set<std::uint64_t> all;
  for (const auto& voter : voters) {
    all.insert(voter.id);
  }
  return all;
}

}  // namespace

std::optional<coord::MemberId> kept_observer_id(const std::string& directory) {
  const auto bytes = disk::read_file(in(directory, disk::kObserverIdFile), kMaxIdBytes);
  if (!bytes) {
    return std::nullopt;
  }
  std::string_view text = as_text(*bytes);
  text = text.substr(0, text.find('\n'));
  const auto id = number(text);
  return id && *id >= coord::kMinObserverId ? std::optional(coord::MemberId{*id}) : std::nullopt;
}

Status keep_observer_id(const std::string& directory, coord::MemberId id) {
  return disk::replace_file(in(directory, disk::kObserverIdFile),
                            as_bytes(fmt::format("{}\n", id.value)));
}

Result<std::vector<config::Voter>> kept_voters(const std::string& directory) {
  const auto path = in(directory, disk::kVotersFile);
  const auto bytes = disk::read_file(path, kMaxVotersBytes);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  std::vector<config::Voter> voters;
  for (std::string_view rest = as_text(*bytes); !rest.empty();) {
    const auto end = rest.find('\n');
    const auto voter = end == std::string_view::npos ? std::nullopt : voter_of(rest.substr(0, end));
    if (!voter) {
      return fail(ErrorCode::kCorrupt, fmt::format("{} is not a list of voters", path));
    }
    voters.push_back(*voter);
    rest.remove_prefix(end + 1);
  }
  if (voters.empty()) {
    return fail(ErrorCode::kCorrupt, fmt::format("{} names no voter", path));
  }
  return voters;
}

Status keep_voters(const std::string& directory, const std::vector<config::Voter>& voters) {
  std::string text;
  for (const auto& voter : voters) {
    text += fmt::format("{}@{}\n", voter.id, voter.address.to_string());
  }
  return disk::replace_file(in(directory, disk::kVotersFile), as_bytes(text));
}

std::vector<config::Voter> committed_voters(std::vector<config::Voter> kept,
                                            const std::vector<config::Voter>& configured) {
  for (auto& voter : kept) {
    const auto found =
        std::find_if(configured.begin(), configured.end(),
                     [&](const config::Voter& other) { return other.id == voter.id; });
    if (found != configured.end()) {
      voter.address = found->address;
    }
  }
  return kept;
}

bool same_members(const std::vector<config::Voter>& a, const std::vector<config::Voter>& b) {
  return ids(a) == ids(b);
}

}  // namespace ringside::app
