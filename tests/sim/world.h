// One run of the simulator: a ring, its clients, its faults and its rules, all drawn from one seed.
//
//   0 s        members start, clients come
//   4 .. 48 s  faults; at least 300 operations of clients
//   50 s       everything heals
//   .. 62 s    there must be a leader, all must converge, a write must succeed, the dead must be
//   gone
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/ambush.h"
#include "tests/sim/client.h"
#include "tests/sim/delivery_rules.h"
#include "tests/sim/faults.h"
#include "tests/sim/member.h"
#include "tests/sim/session_rules.h"
#include "tests/sim/speech_rules.h"

namespace ringside::sim {

struct RunStats {
  std::uint64_t steps = 0;
  std::uint64_t operations = 0;
  std::uint64_t answered = 0;
  std::uint64_t transactions = 0;
  std::uint64_t expired = 0;
  std::uint64_t faults = 0;
  double simulated_seconds = 0;
};

class World : private MemberObserver {
 public:
  // A trace is printed, or added to `into`.
  World(std::uint64_t seed, bool trace, std::string* into = nullptr);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Throws Violation, with the virtual time.
  RunStats run();

 private:
  void started(SimMember& member) override;
  void applied(SimMember& member, coord::Zxid zxid,
               std::span<const coord::Change> changes) override;
  void reloaded(SimMember& member, coord::Zxid zxid) override;
  void sent(SimMember& from, MemberId to, ByteView payload) override;
  void stepped(SimMember& member) override;

  RunStats live();
  void make_members(Rng rng);
  void make_clients(Rng rng);
  void client_leaves(std::size_t place);
  void look_around();
  void track_calm();
  void note_leader(SimMember& member);
  static Delivered state_of(const SimMember& member, coord::Zxid zxid);
  void extended(const coord::Registry& registry, std::span<const coord::Change> changes);
  void wait_for_leader();
  void write_something();
  void come_to_rest();
  [[nodiscard]] bool converged() const;
  [[nodiscard]] std::string describe() const;

  EventQueue queue_;
  Trace trace_;
  Rng rng_;
  Network network_;
  DeliveryRules deliveries_;
  SessionRules sessions_;
  SpeechRules speech_;
  TreeHistory tree_;
  ClientWorld client_world_;
  std::vector<std::unique_ptr<SimMember>> members_;
  std::vector<std::unique_ptr<Client>> clients_;
  Faults faults_;
  Ambush ambush_;
  std::optional<MemberId> calm_leader_;
  std::uint64_t next_client_ = 0;
  bool keep_clients_coming_ = true;
};

}  // namespace ringside::sim
