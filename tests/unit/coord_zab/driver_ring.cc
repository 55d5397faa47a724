#include "driver_ring.h"

#include <algorithm>

#include "coord/codec/peer_message.h"

namespace ringside::coord::test {

namespace {

void carry_out(DiskImage& image, const DiskOp& op) {
  if (const auto* create = std::get_if<CreateFile>(&op)) {
    image.files[create->file].clear();
  } else if (const auto* write = std::get_if<WriteAt>(&op)) {
    Bytes& file = image.files[write->file];
    file.resize(std::max<std::size_t>(file.size(), write->offset + write->bytes->size()));
    std::ranges::copy(*write->bytes, file.begin() + static_cast<std::ptrdiff_t>(write->offset));
  } else if (const auto* rename = std::get_if<RenameFile>(&op)) {
    image.files[rename->to] = std::move(image.files[rename->from]);
    image.files.erase(rename->from);
  } else if (const auto* remove = std::get_if<RemoveFile>(&op)) {
    image.files.erase(remove->file);
  }
}

}  // namespace

std::optional<DiskBatchId> MemoryDisk::complete_one() {
  if (waiting.empty()) {
    return std::nullopt;
  }
  const DiskBatch batch = std::move(waiting.front());
  waiting.pop_front();
  status = {};
  const bool allocates = std::ranges::any_of(
      batch.ops, [](const DiskOp& op) { return std::holds_alternative<AllocateFile>(op); });
  if (batch.lane == DiskLane::kSide && !syncs_names(batch.ops) &&
      (allocates ? no_room : side_fails)) {
    status = fail(allocates ? ErrorCode::kUnavailable : ErrorCode::kIo, "no space left");
    return batch.id;
  }
  for (const DiskOp& op : batch.ops) {
    carry_out(image, op);
  }
  return batch.id;
}

void TestPorts::send(MemberId to, std::shared_ptr<const Bytes> frame) {
  const Result<PeerFrame> read = decode_peer_frame(ByteView(*frame).subspan(kFrameHeaderBytes));
  if (read) {
    ring_.sent[self_].push_back(read->envelope.message);
  }
  ++sends;
  const auto wire = ring_.wires.find({self_, to});
  if (wire != ring_.wires.end()) {
    wire->second.push_back(std::move(frame));
  }
}

void TestPorts::close_link(MemberId peer, std::string) {
  ring_.closing.emplace(self_, peer);
}

DriverRing::DriverRing(std::vector<std::uint64_t> ids, std::uint64_t seed) : rng_(seed) {
  for (const std::uint64_t id : ids) {
    voters.emplace_back(id);
  }
  options.voters = voters;
}

Driver& DriverRing::start(std::uint64_t id) {
  const MemberId self{id};
  auto& slot = members[self];
  if (!slot) {
    slot = std::make_unique<TestMember>();
  }
  slot->ports = std::make_unique<TestPorts>(*this, self);
  slot->disk.waiting.clear();
  DriverOptions own = options;
  own.self = self;
  own.peer_version = next_version.contains(self) ? kPeerProtocolNext : kPeerProtocolVersion;
  const bool voter = std::ranges::find(voters, self) != voters.end();
  auto started =
      Driver::start(own, *slot->ports, voter ? &slot->disk : nullptr, slot->disk.image, Rng(rng_()),
                    now, WallTime{now.time_since_epoch() / milliseconds(1) * milliseconds(1)});
  if (!started) {
    errors.push_back(started.error().message);
    return *slot->driver;
  }
  slot->driver = std::move(*started);
  for (const auto& [other, member] : members) {
    if (other != self && member->driver) {
      join(id, other.value);
    }
  }
  return *slot->driver;
}

void DriverRing::kill(std::uint64_t id) {
  const MemberId self{id};
  member(id).driver.reset();
  member(id).disk.waiting.clear();
  for (const auto& [other, entry] : members) {
    unlink(self, other);
  }
}

void DriverRing::unlink(MemberId a, MemberId b) {
  if (!linked(a, b)) {
    return;
  }
  wires.erase({a, b});
  wires.erase({b, a});
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    if (members.at(from)->driver) {
      members.at(from)->driver->on_link_down(now, to);
    }
  }
}

void DriverRing::cut(std::uint64_t a, std::uint64_t b) {
  unlink(MemberId{a}, MemberId{b});
}

void DriverRing::join(std::uint64_t a, std::uint64_t b) {
  const MemberId left{a};
  const MemberId right{b};
  if (linked(left, right) || !driver(a).accept_peer(driver(b).handshake()) ||
      !driver(b).accept_peer(driver(a).handshake())) {
    return;
  }
  wires[{left, right}];
  wires[{right, left}];
  driver(a).on_link_up(now, right, driver(a).agreed_version(driver(b).handshake()));
  driver(b).on_link_up(now, left, driver(b).agreed_version(driver(a).handshake()));
}

bool DriverRing::move_one_frame() {
  for (const auto& [ends, wire] : wires) {
    if (!wire.empty()) {
      deliver_from(ends);
      return true;
    }
  }
  return false;
}

void DriverRing::deliver_from(std::pair<MemberId, MemberId> ends) {
  auto& wire = wires.at(ends);
  const auto frame = std::move(wire.front());
  wire.pop_front();
  const auto [from, to] = ends;
  const ByteView payload = ByteView(*frame).subspan(kFrameHeaderBytes);
  if (const Status status = members.at(to)->driver->on_frame(now, from, payload); !status) {
    errors.push_back(status.error().message);
    closing.emplace(to, from);
  }
}

void DriverRing::close_links() {
  while (!closing.empty()) {
    const auto [from, to] = *closing.begin();
    closing.erase(closing.begin());
    unlink(from, to);
  }
}

bool DriverRing::call_on_time() {
  bool called = false;
  for (const auto& [id, entry] : members) {
    if (entry->driver && entry->driver->next_deadline() <= now) {
      called = true;
      entry->driver->on_time(now,
                             WallTime{now.time_since_epoch() / milliseconds(1) * milliseconds(1)});
    }
  }
  return called;
}

void DriverRing::stir(Rng& rng) {
  close_links();
  std::vector<std::pair<MemberId, MemberId>> busy;
  for (const auto& [ends, wire] : wires) {
    if (!wire.empty()) {
      busy.push_back(ends);
    }
  }
  const std::uint64_t dice = rng.below(10);
  if (dice < 6 && !busy.empty()) {
    deliver_from(busy[rng.below(busy.size())]);
  } else if (dice < 9) {
    const auto chosen = std::next(members.begin(), static_cast<int>(rng.below(members.size())));
    TestMember& entry = *chosen->second;
    if (const auto done = entry.driver ? entry.disk.complete_one() : std::nullopt) {
      entry.driver->on_disk_done(now, *done, entry.disk.status);
    }
  } else {
    now += milliseconds(rng.below(20));
    call_on_time();
  }
}

void DriverRing::settle() {
  bool moved = true;
  while (moved) {
    moved = false;
    close_links();
    moved = move_one_frame() || call_on_time();
    for (auto& [id, entry] : members) {
      if (entry->driver && !entry->disk_stuck) {
        if (const auto done = entry->disk.complete_one()) {
          entry->driver->on_disk_done(now, *done, entry->disk.status);
          moved = true;
        }
      }
    }
    moved = moved || !closing.empty();
  }
}

void DriverRing::pass(milliseconds time) {
  const Instant end = now + time;
  settle();
  while (now < end) {
    Instant next = end;
    for (const auto& [id, entry] : members) {
      if (entry->driver) {
        next = std::min(next, entry->driver->next_deadline());
      }
    }
    now = std::max(next, now + milliseconds(1));
    call_on_time();
    settle();
  }
}

std::uint64_t DriverRing::leader() {
  std::uint64_t found = 0;
  for (const auto& [id, entry] : members) {
    if (entry->driver && entry->driver->status().leader == id) {
      if (found != 0) {
        return 0;
      }
      found = id.value;
    }
  }
  return found;
}

std::optional<Reply> DriverRing::ask(std::uint64_t id, Request request) {
  const RequestId number{++next_request_};
  driver(id).submit(now, number, std::move(request));
  settle();
  for (const Answer& answer : member(id).ports->answers) {
    if (answer.id == number) {
      return answer.reply;
    }
  }
  return std::nullopt;
}

std::optional<Reply> DriverRing::create(std::uint64_t id, std::string path) {
  Create create;
  create.path = std::move(path);
  return ask(id, Request{SessionId{}, Multi{{create}}});
}

}  // namespace ringside::coord::test
