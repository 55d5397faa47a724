#include "tests/drills/load/app_record.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/drills/load/poller.h"

namespace ringside::drill {

AppRecord::AppRecord(const std::string& path, std::size_t ids) : ids_(ids) {
  if (path.empty()) {
    return;
  }
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || ftruncate(fd, static_cast<off_t>(2 * ids)) != 0) {
    give_up(path);
  }
  void* const mapped = mmap(nullptr, 2 * ids, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    give_up(path);
  }
  close(fd);
  bytes_ = static_cast<std::uint8_t*>(mapped);
}

AppRecord::~AppRecord() {
  if (bytes_ != nullptr) {
    munmap(bytes_, 2 * ids_);
  }
}

void AppRecord::count(std::uint64_t id, std::size_t base) {
  if (bytes_ != nullptr && id < ids_ && bytes_[base + id] < 255) {
    ++bytes_[base + id];
  }
}

}  // namespace ringside::drill
