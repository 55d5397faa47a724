// What a ring's log cannot do without: write and fdatasync, one after the other, and appending at
// full width.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "tests/bench/ring_load/latencies.h"
#include "tests/bench/ring_load/modes.h"

namespace ringside::bench {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;
constexpr std::uint64_t kPiecesPerSync = 64;

using Clock = std::chrono::steady_clock;

Instant now() {
  return Instant{std::chrono::duration_cast<Duration>(Clock::now().time_since_epoch())};
}

class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600)) {
    if (file_ < 0) {
      give_up("cannot make " + path_);
    }
  }
  ~NewFile() {
    ::close(file_);
    ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // Blocks ahead, as a log has them: without them each sync would also write the file's length.
  void allocate(std::size_t bytes) {
    if (::posix_fallocate(file_, 0, static_cast<off_t>(bytes)) != 0) {
      give_up("cannot allocate " + path_);
    }
  }
  void append(const std::string& bytes) {
    if (::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      give_up("cannot write " + path_);
    }
  }
  void sync() {
    if (::fdatasync(file_) != 0) {
      give_up("cannot sync " + path_);
    }
  }

 private:
  std::string path_;
  int file_;
};

}  // namespace

void disk_floor(const Arguments& arguments) {
  const std::string folder = arguments.text("dir");
  const seconds time{arguments.number("seconds", 3)};
  const std::string record(arguments.number("bytes", 200), 'r');
  Latencies syncs;
  {
    NewFile file(folder + "/floor.records");
    file.allocate(std::size_t{64} << 20U);
    for (const auto end = Clock::now() + time; Clock::now() < end;) {
      const auto began = now();
      file.append(record);
      file.sync();
      syncs.done(began, now());
    }
  }
  const std::string piece(kPiece, 'p');
  std::uint64_t pieces = 0;
  const auto began = Clock::now();
  {
    NewFile file(folder + "/floor.pieces");
    for (const auto end = began + time; Clock::now() < end; ++pieces) {
      file.append(piece);
      if (pieces % kPiecesPerSync == kPiecesPerSync - 1) {
        file.sync();
      }
    }
    file.sync();
  }
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  fmt::print("disk record_bytes={} append_mib_per_second={:.0f} fdatasync: {}\n", record.size(),
             static_cast<double>(pieces) / took, syncs.summary(time));
}

}  // namespace ringside::bench
