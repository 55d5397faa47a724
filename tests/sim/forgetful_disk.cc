#include "tests/sim/forgetful_disk.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>
#include <variant>

namespace ringside::sim {

ForgetfulDisk::ForgetfulDisk(const ForgetfulDisk& other)
    : names_(other.names_),
      durable_names_(other.durable_names_),
      pending_(other.pending_),
      capacity_(other.capacity_) {
  std::map<const File*, std::shared_ptr<File>> copies;
  const auto own = [&](std::shared_ptr<File>& file) {
    if (file != nullptr) {
      auto& copy = copies[file.get()];
      copy = copy != nullptr ? copy : std::make_shared<File>(*file);
      file = copy;
    }
  };
  for (Names* const names : {&names_, &durable_names_}) {
    for (auto& [name, file] : *names) {
      own(file);
    }
  }
  for (NameChange& change : pending_) {
    own(change.file);
  }
}

ForgetfulDisk& ForgetfulDisk::operator=(const ForgetfulDisk& other) {
  *this = ForgetfulDisk(other);
  return *this;
}

void ForgetfulDisk::change(Names& names, const NameChange& change) {
  if (!change.removed.empty()) {
    names.erase(change.removed);
  }
  if (change.file != nullptr) {
    names[change.name] = change.file;
  } else {
    names.erase(change.name);
  }
}

void ForgetfulDisk::change_now(NameChange next) {
  change(names_, next);
  pending_.push_back(std::move(next));
}

void ForgetfulDisk::do_op(const coord::CreateFile& op) {
  change_now({op.file, std::make_shared<File>(), {}});
}

void ForgetfulDisk::do_op(const coord::WriteAt& op) {
  apply_partly(op, op.bytes->size());
}

void ForgetfulDisk::apply_partly(const coord::WriteAt& write, std::size_t bytes) {
  File& file = *names_.at(write.file);
  const std::size_t end = write.offset + bytes;
  const std::size_t over = std::min(end, file.durable());
  if (write.offset < over &&
      !std::equal(file.bytes.begin() + static_cast<std::ptrdiff_t>(write.offset),
                  file.bytes.begin() + static_cast<std::ptrdiff_t>(over), write.bytes->begin())) {
    throw std::logic_error("another write over synced bytes of " + write.file);
  }
  if (write.offset <= file.missing && end > file.missing) {
    file.synced = std::exchange(file.missing, kNothing);  // the next sync has them to write
  }
  file.bytes.resize(std::max(file.bytes.size(), end));
  std::copy_n(write.bytes->begin(), bytes,
              file.bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

void ForgetfulDisk::do_op(const coord::SyncFile& op) {
  File& file = *names_.at(op.file);
  file.synced = file.bytes.size();
}

void ForgetfulDisk::fail_sync(const std::string& name) {
  File& file = *names_.at(name);
  if (file.synced < file.bytes.size()) {
    file.missing = file.durable();
    file.synced = file.bytes.size();
  }
}

void ForgetfulDisk::do_op(const coord::RenameFile& op) {
  change_now({op.to, names_.at(op.from), op.from});
}

void ForgetfulDisk::do_op(const coord::RemoveFile& op) {
  change_now({op.file, nullptr, {}});
}

void ForgetfulDisk::do_op(const coord::SyncDirectory& /*op*/) {
  for (const NameChange& done : pending_) {
    change(durable_names_, done);
  }
  pending_.clear();
}

void ForgetfulDisk::do_op(const coord::AllocateFile& op) {
  File& file = *names_.at(op.file);
  file.taken = std::max(file.taken, op.bytes);
}

void ForgetfulDisk::do_op(const coord::TrimFile& op) {
  if (has(op.file)) {
    names_.at(op.file)->taken = 0;
  }
}

void ForgetfulDisk::apply(const coord::DiskOp& op) {
  if (const Status status = can(op); !status) {
    throw std::logic_error(status.error().message);
  }
  std::visit([this](const auto& one) { do_op(one); }, op);
}

Status ForgetfulDisk::fits(const std::string& file, std::uint64_t end) const {
  const auto found = names_.find(file);
  if (found == names_.end()) {
    return fail(ErrorCode::kNotFound, file + " is not there");
  }
  if (capacity_ != std::numeric_limits<std::uint64_t>::max() && end > found->second->blocks() &&
      used() + (end - found->second->blocks()) > capacity_) {
    return fail(ErrorCode::kUnavailable, "the disk is full for " + file);
  }
  return {};
}

Status ForgetfulDisk::can(const coord::DiskOp& op) const {
  if (const auto* write = std::get_if<coord::WriteAt>(&op)) {
    return fits(write->file, write->offset + write->bytes->size());
  }
  if (const auto* sync = std::get_if<coord::SyncFile>(&op)) {
    return fits(sync->file, 0);
  }
  if (const auto* rename = std::get_if<coord::RenameFile>(&op)) {
    return fits(rename->from, 0);
  }
  if (const auto* allocate = std::get_if<coord::AllocateFile>(&op)) {
    return fits(allocate->file, allocate->bytes);
  }
  return {};
}

std::uint64_t ForgetfulDisk::used() const {
  std::set<const File*> seen;
  std::uint64_t bytes = 0;
  for (const auto& [name, file] : names_) {
    bytes += seen.insert(file.get()).second ? file->blocks() : 0;
  }
  return bytes;
}

coord::DiskImage ForgetfulDisk::image() const {
  coord::DiskImage image;
  for (const auto& [name, file] : names_) {
    image.files[name] = file->bytes;
  }
  return image;
}

coord::DiskImage ForgetfulDisk::durable_image() const {
  coord::DiskImage image;
  for (const auto& [name, file] : durable_names_) {
    const auto synced = static_cast<std::ptrdiff_t>(std::min(file->durable(), file->bytes.size()));
    image.files[name] = Bytes(file->bytes.begin(), file->bytes.begin() + synced);
  }
  return image;
}

void ForgetfulDisk::power_cut(const Loss& loss) {
  std::set<std::string> stopped;  // names with a lost change: later ones are lost with it
  for (const NameChange& next : std::exchange(pending_, {})) {
    const bool blocked = stopped.contains(next.name) || stopped.contains(next.removed);
    if (!blocked && loss.name_survives()) {
      change(durable_names_, next);
    } else {
      stopped.insert(next.name);
      if (!next.removed.empty()) {
        stopped.insert(next.removed);
      }
    }
  }
  names_ = durable_names_;
  std::set<File*> seen;
  for (const auto& [name, file] : names_) {
    if (seen.insert(file.get()).second && file->bytes.size() > file->durable()) {
      loss.tear(file->bytes, file->durable());
    }
    file->synced = file->bytes.size();
    file->missing = kNothing;
  }
}

void ForgetfulDisk::lose(const std::string& file) {
  names_.erase(file);
  durable_names_.erase(file);
}

void ForgetfulDisk::wipe() {
  names_.clear();
  durable_names_.clear();
  pending_.clear();
}

}  // namespace ringside::sim
