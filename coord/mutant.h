// Known bugs of other implementations of Zab, each of which a switch here brings back into ours, so
// that the simulator can show that it would find them. Read by the code that each one breaks.
//
// In every build that users get, mutated() is constant and false, and nothing of this is left. Only
// the program of tests/sim/mutants is compiled with RINGSIDE_MUTANTS; there a thread may choose one
// bug, for the ring that it simulates.
//
// Adding one: an enumerator named after its key (facts/coordination.md section 2; ZK-n is n of
// ZooKeeper's JIRA, Dn a rule of coord/README.md), a condition of few lines where the rule is kept,
// and a row in tests/sim/mutants/table.txt.
#pragma once

#include <cstdint>

namespace ringside::coord {

enum class Mutant : std::uint8_t {
  kNone,
  kZk335PromiseNotLogged,         // D4: AckEpoch leaves before accepted_epoch is durable
  kZk1549UncommittedSnapshot,     // D11: a snapshot holds what is logged and not yet committed
  kZk1551ObserverSkips,           // D5: an observer misses what comes while its snapshot travels
  kZk1675SyncWithoutQuorum,       // a sync is answered by the leader alone
  kZk2325EmptyDiskVotes,          // D16: a voter without a history counts like any other
  kZk2355AppliedTooEarly,         // txns of a synchronization count as applied before they are
  kZk2845VoteFromMemory,          // a vote tells what is applied, not what is logged
  kZk2846UncommittedAsCommitted,  // a follower hears of proposals as if they were committed
  kZk3023JudgedIllegal,           // at the NEWLEADER ack the DIFF is not in the log yet
  kZk3104NewLeaderTooEarly,       // D6: NEWLEADER comes before the snapshot is whole
  kZk3127HalfOfAMulti,            // D11: a snapshot holds part of what came while it was written
  kZk3642HalfLoaded,          // D6: the snapshot of a broken-off synchronization stays in memory
  kZk3911AckBeforeDurable,    // D3: NEWLEADER is acknowledged before anything is durable
  kZk4352NothingMeansAll,     // a follower of unknown history gets no snapshot
  kZk4394ForgottenProposals,  // proposals outstanding at NEWLEADER are forgotten
  kZk4643EpochFirst,          // D3: the epochs are durable before the history is
  kZk4646AckBeforeEntries,    // D3: NEWLEADER is acknowledged before its entries are durable
  kZk4685AckOvertakes,        // D2: an ack of a proposal overtakes that of NEWLEADER
  kZk4712OldRunWrites,        // D10: disk work of a run that is over is forgotten, not awaited
  kZk4882FailedWriteGoesOn,   // D9: a failed write ends nothing
  kZk4925HolePassedOn,        // D5: a DIFF with a hole, and nobody checks
  kZk5094TruncatedInMemory,   // D7: a truncation does not reach the disk
  kD8EstablishedTooEarly,     // D8: established by a quorum that has not acknowledged NEWLEADER
  kD9CacheTrusted,            // D9: a restart takes what a failed sync left in memory for durable
  kD10OldRunHeard,            // messages of an attachment that is over are taken
  kD14TailLeftOut,            // D14: a new leader leads with what it knows to be committed
  kD15WholeLogApplied,        // D15: a restart applies all that is logged
  kD16WipedVoterHelps,        // D16: a deposed leader finds its quorum in a wiped voter
};

#ifdef RINGSIDE_MUTANTS

namespace mutants {
inline thread_local Mutant chosen = Mutant::kNone;
}
inline bool mutated(Mutant one) {
  return mutants::chosen == one;
}

#else

constexpr bool mutated(Mutant /*one*/) {
  return false;
}

#endif

}  // namespace ringside::coord
