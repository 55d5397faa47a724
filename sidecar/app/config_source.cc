#include "sidecar/app/config_source.h"

#include <sys/stat.h>

#include <cstdlib>

#include "sidecar/disk/file_ops.h"

namespace ringside::app {

namespace {

// One byte over what the reader accepts, so that it can say how long the file may be.
constexpr std::size_t kMaxRead = (std::size_t{1} << 20U) + 1;

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

ConfigSource::ConfigSource(std::string path, std::vector<config::Override> overrides)
    : path_(std::move(path)) {
  command_line_.overrides = std::move(overrides);
}

ConfigSource::ConfigSource(config::CommandLine command_line)
    : command_line_(std::move(command_line)) {}

ConfigSource::Stamp ConfigSource::stamp() const {
  struct stat info{};
  if (path_.empty() || ::stat(path_.c_str(), &info) != 0) {
    return {};
  }
  return {info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(info.st_size), static_cast<std::uint64_t>(info.st_ino)};
}

bool ConfigSource::changed() const {
  const Stamp now = stamp();
  return !path_.empty() && now != Stamp{} && now != read_at_;
}

config::ReadResult ConfigSource::read() {
  if (path_.empty()) {
    return config::settings_from(command_line_, environment);
  }
  read_at_ = stamp();
  const auto bytes = disk::read_file(path_, kMaxRead);
  if (!bytes) {
    if (bytes.error().code == ErrorCode::kTooLarge) {
      return config::read_settings(Bytes(kMaxRead, ' '), path_, environment,
                                   command_line_.overrides);
    }
    config::Problem problem;
    problem.file = path_;
    problem.line = 0;
    problem.message = bytes.error().message;
    return std::unexpected(std::vector<config::Problem>{problem});
  }
  return config::read_settings(*bytes, path_, environment, command_line_.overrides);
}

}  // namespace ringside::app
