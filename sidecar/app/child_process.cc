#include "sidecar/app/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
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
constexpr int kNotRun = 127;        // nobody sees it: errno says more

// What the child needs, made ready before it begins.
struct Launch {
  char* const* argv = nullptr;
  const std::vector<int>* kept = nullptr;  // ascending; every other one over 2 is closed
  int report = -1;                         // takes errno where the program cannot be run
  const Inheritance* given = nullptr;
  const sigset_t* mask = nullptr;
};

// Handlers are ours and must not run in the child; what was ignored when we began stays so.
void give_back_signals(bool broken_pipes_ignored) {
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction now{};
    const bool known = ::sigaction(signal, nullptr, &now) == 0;
    const bool ignored_by_us = signal == SIGPIPE && !broken_pipes_ignored;
    if (known && now.sa_handler != SIG_DFL && (now.sa_handler != SIG_IGN || ignored_by_us)) {
      ::sigaction(signal, &usual, nullptr);
    }
  }
}

void close_others(const std::vector<int>& kept) {
  int next = kFirstOther;
  for (const int fd : kept) {
    for (; next < fd; ++next) {
      ::close(next);
    }
    next = fd + 1;
  }
  ::closefrom(next);
}

// The limit goes last, for only new descriptors heed it; the hard one was never touched.
void limit_descriptors(rlim_t soft) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = std::min(soft, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// The child from vfork to its program: system calls alone, since our memory is its memory.
[[noreturn]] void become(const Launch& launch) {
  ::setsid();
  give_back_signals(launch.given->broken_pipes_ignored);
  close_others(*launch.kept);
  if (launch.given->descriptor_limit) {
    limit_descriptors(*launch.given->descriptor_limit);
  }
  ::sigprocmask(SIG_SETMASK, launch.mask, nullptr);
  ::execvp(launch.argv[0], launch.argv);
  const int error = errno;
  static_cast<void>(::write(launch.report, &error, sizeof error));
  ::_exit(kNotRun);
}

// No signal is handled while the child shares our memory. Returns its pid, or -1 and errno.
pid_t launch_quietly(Launch launch) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  CHECK(::pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  launch.mask = &before;
  const pid_t pid = ::vfork();  // posix_spawn cannot set a limit
  if (pid == 0) {
    become(launch);
  }
  const int error = errno;
  CHECK(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  errno = error;
  return pid;
}

// 0, or errno of a child that could not become its program: it ends at once and is reaped.
int outcome(int report, pid_t pid) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(report, &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof error) {
    return 0;  // closed by the program's begin
  }
  ::waitpid(pid, nullptr, 0);
  return error;
}

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
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    given.descriptor_limit = limit.rlim_cur;
  }
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
  int report[2] = {};
  int error = ::pipe2(report, O_CLOEXEC) == 0 ? 0 : errno;
  if (error == 0) {
    std::vector<int> kept = inheritance_.descriptors;
    kept.insert(std::ranges::upper_bound(kept, report[1]), report[1]);
    pid_ = launch_quietly(
        {.argv = argv.data(), .kept = &kept, .report = report[1], .given = &inheritance_});
    error = pid_ < 0 ? errno : 0;
    ::close(report[1]);
    error = error == 0 ? outcome(report[0], pid_) : error;
    ::close(report[0]);
  }
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
