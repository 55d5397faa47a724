// A ring of Drivers in virtual time: links that keep order, disks in memory, everything moved by
// hand. For the tests of this folder.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coord/driver.h"
#include "coord/zab/messages.h"

namespace ringside::coord::test {

class MemoryDisk : public DiskPort {
 public:
  void submit(DiskBatch batch) override {
    ++batches;
    waiting.push_back(std::move(batch));
  }
  // Carries out the oldest batch; nullopt: none waits.
  std::optional<DiskBatchId> complete_one();

  std::deque<DiskBatch> waiting;
  bool side_fails = false;  // all of the side lane but the blocks taken ahead
  bool no_room = false;     // these
  Status status;            // of the last batch
  std::size_t batches = 0;  // ever asked for
  DiskImage image;
};

struct Answer {
  RequestId id;
  Reply reply;
};

class DriverRing;

class TestPorts : public DriverPorts {
 public:
  TestPorts(DriverRing& ring, MemberId self) : ring_(ring), self_(self) {}
  void send(MemberId to, std::shared_ptr<const Bytes> frame) override;
  void close_link(MemberId peer, std::string reason) override;
  void reply(RequestId request, Reply reply) override { answers.push_back({request, reply}); }
  void applied(Zxid zxid, std::span<const Change>) override { applied_zxids.push_back(zxid); }
  void reloaded(Zxid) override { ++reloads; }
  void watch_event(const WatchEvent& event) override { events.push_back(event); }
  void fenced(const Error& reason) override { fence = reason; }
  void log(LogSeverity, std::string message) override { logs.push_back(std::move(message)); }

  std::vector<Answer> answers;
  std::vector<Zxid> applied_zxids;
  std::vector<WatchEvent> events;
  std::vector<std::string> logs;
  std::optional<Error> fence;
  int reloads = 0;
  std::size_t sends = 0;

 private:
  DriverRing& ring_;
  MemberId self_;
};

struct TestMember {
  MemoryDisk disk;
  std::unique_ptr<TestPorts> ports;
  std::unique_ptr<Driver> driver;
  bool disk_stuck = false;
};

class DriverRing {
 public:
  explicit DriverRing(std::vector<std::uint64_t> voters, std::uint64_t seed = 1);
  DriverRing(const DriverRing&) = delete;  // its members' ports know where it is
  DriverRing& operator=(const DriverRing&) = delete;

  // Starts a member from its disk (an observer from nothing) and links it to all that run.
  Driver& start(std::uint64_t id);
  // Ends a process: what its disk had not been told to do yet is lost.
  void kill(std::uint64_t id);
  void wipe(std::uint64_t id) { member(id).disk.image = {}; }
  void cut(std::uint64_t a, std::uint64_t b);
  void join(std::uint64_t a, std::uint64_t b);

  // Delivers frames and completes disk work until nothing moves.
  void settle();
  // Lets virtual time pass, settling at every deadline.
  void pass(milliseconds time);
  // One small thing that may happen next: a frame arrives, a disk finishes a batch, or a little
  // time goes by.
  void stir(Rng& rng);
  // False: nothing was due.
  bool call_on_time();
  // Time alone: nobody is called (a pause of every process).
  void sleep(milliseconds time) { now += time; }

  TestMember& member(std::uint64_t id) { return *members.at(MemberId{id}); }
  Driver& driver(std::uint64_t id) { return *member(id).driver; }
  // The only established leader, 0 when there is none or more than one.
  std::uint64_t leader();
  // Submits and settles; nullopt: no answer yet.
  std::optional<Reply> ask(std::uint64_t id, Request request);
  std::optional<Reply> create(std::uint64_t id, std::string path);

  std::vector<MemberId> voters;
  DriverOptions options;
  std::set<MemberId> next_version;  // members that speak it from their next start
  Instant now{seconds(1000)};
  std::map<MemberId, std::unique_ptr<TestMember>> members;
  std::map<std::pair<MemberId, MemberId>, std::deque<std::shared_ptr<const Bytes>>> wires;
  std::set<std::pair<MemberId, MemberId>> closing;
  std::vector<std::string> errors;  // of on_frame
  std::map<MemberId, std::vector<Message>> sent;

 private:
  [[nodiscard]] bool linked(MemberId a, MemberId b) const { return wires.contains({a, b}); }
  void unlink(MemberId a, MemberId b);
  bool move_one_frame();
  void deliver_from(std::pair<MemberId, MemberId> ends);
  void close_links();
  Rng rng_;
  std::uint64_t next_request_ = 1ULL << 40U;  // apart from the numbers that tests draw
};

}  // namespace ringside::coord::test
