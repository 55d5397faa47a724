#include "sidecar/app/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "config/base/check.h"

namespace ringside::app {

namespace {

constexpr int kFirstOther = 3;      // after the standard streams
constexpr int kSignalStatus = 128;  // as shells count

// Closes in the child what it was not meant to have, descriptors without CLOEXEC among them.
class FileActions {
 public:
  explicit FileActions(const std::vector<int>& kept) {
    CHECK(posix_spawn_file_actions_init(&actions_) == 0);
    int next = kFirstOther;
    for (const int fd : kept) {  // ascending
      for (; next < fd; ++next) {
        CHECK(posix_spawn_file_actions_addclose(&actions_, next) == 0);
      }
      next = fd + 1;
    }
    CHECK(posix_spawn_file_actions_addclosefrom_np(&actions_, next) == 0);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  explicit Attributes(bool broken_pipes_ignored) {
    CHECK(posix_spawnattr_init(&attributes_) == 0);
    sigset_t reset;
    sigemptyset(&reset);
    if (!broken_pipes_ignored) {  // we ignore them, which would be handed on
      sigaddset(&reset, SIGPIPE);
    }
    CHECK(posix_spawnattr_setsigdefault(&attributes_, &reset) == 0);
    CHECK(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF) == 0);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

Inheritance Inheritance::now() {
  Inheritance given;
  for (int fd = kFirstOther; fd < kMaxDescriptor; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
      given.descriptors.push_back(fd);
    }
  }
  struct sigaction pipe{};
  given.broken_pipes_ignored =
      ::sigaction(SIGPIPE, nullptr, &pipe) == 0 && pipe.sa_handler == SIG_IGN;
  return given;
}

ChildProcess::ChildProcess(std::vector<std::string> command, Inheritance inheritance)
    : command_(std::move(command)), inheritance_(std::move(inheritance)) {
  CHECK(!command_.empty());
}

Status ChildProcess::start() {
  std::vector<char*> argv;
  for (auto& word : command_) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const FileActions actions(inheritance_.descriptors);
  const Attributes attributes(inheritance_.broken_pipes_ignored);
  const int error =
      ::posix_spawnp(&pid_, argv.front(), actions.get(), attributes.get(), argv.data(), environ);
  if (error != 0) {
    pid_ = 0;
    return fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                fmt::format("cannot start the app {}: {}", command_.front(), std::strerror(error)));
  }
  return {};
}

bool ChildProcess::reap() {
  bool ended = false;
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == pid_) {
      ended = true;
      pid_ = 0;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalStatus + WTERMSIG(status);
    }
  }
  return ended;
}

void ChildProcess::send(int signal) const {
  if (running()) {
    ::kill(pid_, signal);  // ours until it is reaped, so the number is no one else's
  }
}

}  // namespace ringside::app
