// Zab machines alone, in virtual time: messages and disk completions are moved by hand, and every
// send is in a trace. For the tests of this folder.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coord/zab/member.h"

namespace ringside::coord::test {

struct ZabMember {
  ZabStart disk;  // what a restart would find
  std::unique_ptr<Zab> zab;
  std::deque<Effect> disk_work;  // AppendLog, SaveEpochs, SwitchHistory not completed yet
  std::vector<Zxid> delivered;
  std::size_t largest_delivery = 0;
  std::vector<std::string> closed;
};

class ZabRing {
 public:
  explicit ZabRing(std::vector<std::uint64_t> ids) {
    for (const std::uint64_t id : ids) {
      options.voters.emplace_back(id);
      members[id].disk.birth = BirthId{42};
      members[id].disk.current = Epoch{1};
      members[id].disk.accepted = Epoch{1};
    }
  }

  Zab& start(std::uint64_t id) {
    ZabMember& member = members[id];
    ZabOptions own = options;
    own.self = MemberId{id};
    member.disk_work.clear();
    member.delivered.clear();
    member.zab = std::make_unique<Zab>(own, member.disk, Rng(id), now);
    take(id, member.zab->start());
    for (auto& [other, entry] : members) {
      if (other != id && entry.zab) {
        join(id, other);
      }
    }
    return *member.zab;
  }
  void start_all() {
    for (const MemberId id : options.voters) {
      start(id.value);
    }
    settle();
  }

  void kill(std::uint64_t id) {
    members[id].zab.reset();
    for (auto& [other, entry] : members) {
      cut(id, other);
    }
  }
  void join(std::uint64_t a, std::uint64_t b) {
    wires[{a, b}];
    wires[{b, a}];
    step(a, LinkUp{MemberId{b}});
    step(b, LinkUp{MemberId{a}});
  }
  void cut(std::uint64_t a, std::uint64_t b) {
    if (wires.erase({a, b}) + wires.erase({b, a}) > 0) {
      step(a, LinkDown{MemberId{b}});
      step(b, LinkDown{MemberId{a}});
    }
  }

  void step(std::uint64_t id, Event event) {
    if (members[id].zab) {
      take(id, members[id].zab->step(now, std::move(event)));
    }
  }
  void propose(std::uint64_t id, std::string text) {
    const ByteView bytes = as_bytes(text);
    step(id, Propose{{std::make_shared<const Bytes>(bytes.begin(), bytes.end())}});
  }

  // Delivers the oldest message of one wire. False: none.
  bool deliver(std::uint64_t from, std::uint64_t to) {
    const auto wire = wires.find({from, to});
    if (wire == wires.end() || wire->second.empty()) {
      return false;
    }
    Envelope envelope = std::move(wire->second.front());
    wire->second.pop_front();
    const std::uint64_t run = envelope.run;
    const bool snapshot = std::holds_alternative<SnapshotData>(envelope.message);
    step(to, Received{MemberId{from}, std::move(envelope)});
    if (snapshot && wires.contains({to, from})) {
      step(from, SnapshotTaken{MemberId{to}, run});
    }
    return true;
  }
  // Completes the oldest disk work. False: none.
  bool complete(std::uint64_t id) {
    ZabMember& member = members[id];
    if (!member.zab || member.disk_work.empty()) {
      return false;
    }
    const Effect work = std::move(member.disk_work.front());
    member.disk_work.pop_front();
    step(id, Persisted{write(member.disk, work)});
    return true;
  }
  void messages() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (const auto& [ends, wire] : std::map(wires)) {
        moved = deliver(ends.first, ends.second) || moved;
      }
    }
  }
  void settle() {
    bool moved = true;
    while (moved) {
      messages();
      moved = false;
      for (auto& [id, member] : members) {
        moved = (!member.stuck() && complete(id)) || moved;
        if (member.zab && member.zab->next_deadline() <= now) {
          step(id, Tick{});
          moved = true;
        }
      }
    }
  }
  void pass(milliseconds time) {
    const Instant end = now + time;
    while (now < end) {
      now += milliseconds(5);
      for (auto& [id, member] : members) {
        step(id, Tick{});
      }
      settle();
    }
  }

  void give_snapshots() {
    for (const HeldSnapshot& snapshot : std::exchange(held, {})) {
      step(snapshot.to, Received{MemberId{snapshot.from},
                                 {snapshot.run, SnapshotData{snapshot.zxid, ++last_token}}});
      step(snapshot.from, SnapshotTaken{MemberId{snapshot.to}, snapshot.run});
    }
    settle();
  }

  std::uint64_t leader() {
    for (auto& [id, member] : members) {
      if (member.zab && member.zab->leading() != nullptr) {
        return id;
      }
    }
    return 0;
  }
  // Names of the messages that one member sent to another since the last call.
  std::vector<std::string> said(std::uint64_t from, std::uint64_t to) {
    return std::exchange(trace[{from, to}], {});
  }

  struct Member : ZabMember {
    bool disk_stuck = false;
    [[nodiscard]] bool stuck() const { return disk_stuck; }
  };
  ZabOptions options;
  Instant now{seconds(100)};
  std::uint64_t last_token = 0;
  // Snapshots do not arrive before give_snapshots().
  struct HeldSnapshot {
    std::uint64_t from;
    std::uint64_t to;
    std::uint64_t run;
    Zxid zxid;
  };
  bool hold_snapshots = false;
  std::vector<HeldSnapshot> held;
  std::map<std::uint64_t, Member> members;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::deque<Envelope>> wires;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::string>> trace;

 private:
  void take(std::uint64_t id, Effects effects) {
    Member& member = members[id];
    for (Effect& effect : effects) {
      if (const auto* send = std::get_if<Send>(&effect)) {
        trace[{id, send->to.value}].emplace_back(name_of(send->envelope.message));
        const auto wire = wires.find({id, send->to.value});
        if (wire != wires.end()) {
          wire->second.push_back(send->envelope);
        }
      } else if (const auto* snapshot = std::get_if<SendSnapshot>(&effect)) {
        trace[{id, snapshot->to.value}].emplace_back("Snapshot");
        if (hold_snapshots) {
          held.emplace_back(id, snapshot->to.value, snapshot->run, member.zab->applied());
          continue;
        }
        wires[{id, snapshot->to.value}].push_back(
            {snapshot->run, SnapshotData{member.zab->applied(), ++last_token}});
      } else if (const auto* deliver = std::get_if<Deliver>(&effect)) {
        member.largest_delivery = std::max(member.largest_delivery, deliver->entries.size());
        for (const Entry& entry : deliver->entries) {
          member.delivered.push_back(entry.zxid);
        }
      } else if (const auto* install = std::get_if<InstallSnapshot>(&effect)) {
        member.delivered.assign(1, install->snapshot.zxid);
      } else if (const auto* close = std::get_if<CloseLink>(&effect)) {
        member.closed.push_back(close->reason);
      } else if (std::holds_alternative<AppendLog>(effect) ||
                 std::holds_alternative<SaveEpochs>(effect) ||
                 std::holds_alternative<SwitchHistory>(effect)) {
        member.disk_work.push_back(std::move(effect));
      }
    }
  }

  static PersistId write(ZabStart& disk, const Effect& work) {
    if (const auto* append = std::get_if<AppendLog>(&work)) {
      disk.log.insert(disk.log.end(), append->entries.begin(), append->entries.end());
      disk.commit = std::max(disk.commit, append->commit);
      return append->id;
    }
    if (const auto* epochs = std::get_if<SaveEpochs>(&work)) {
      disk.birth = epochs->birth;
      disk.accepted = epochs->accepted;
      disk.current = epochs->current;
      return epochs->id;
    }
    const auto& change = std::get<SwitchHistory>(work);
    if (change.snapshot) {
      disk.snapshot = change.snapshot->zxid;
      disk.log.clear();
    }
    std::erase_if(disk.log, [&](const Entry& entry) { return entry.zxid > change.keep_until; });
    disk.log.insert(disk.log.end(), change.entries.begin(), change.entries.end());
    disk.commit = std::max(disk.commit, change.commit);
    disk.birth = change.birth;
    disk.accepted = change.accepted;
    disk.current = change.current;
    disk.in_doubt = false;
    return change.id;
  }
};

}  // namespace ringside::coord::test
