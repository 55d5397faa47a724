#include "tests/sim/mutants/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace ringside::sim {

namespace {

using coord::Mutant;

constexpr std::array kBugs{
    Bug{Mutant::kZk335PromiseNotLogged, "zk-335", "an epoch is promised before that is durable"},
    Bug{Mutant::kZk1549UncommittedSnapshot, "zk-1549",
        "a snapshot holds transactions that are not committed"},
    Bug{Mutant::kZk1551ObserverSkips, "zk-1551",
        "an observer misses what is committed while its snapshot travels"},
    Bug{Mutant::kZk1675SyncWithoutQuorum, "zk-1675", "a leader answers a sync without a quorum"},
    Bug{Mutant::kZk2325EmptyDiskVotes, "zk-2325", "an empty disk votes (D16)"},
    Bug{Mutant::kZk2355AppliedTooEarly, "zk-2355",
        "synchronized txns count as applied before they are: ephemerals of closed sessions stay"},
    Bug{Mutant::kZk2845VoteFromMemory, "zk-2845", "a vote tells what is applied, not logged"},
    Bug{Mutant::kZk2846UncommittedAsCommitted, "zk-2846",
        "an established leader ships proposals as committed"},
    Bug{Mutant::kZk3023JudgedIllegal, "zk-3023",
        "the DIFF is not in the log at its ack; what follows is judged illegal"},
    Bug{Mutant::kZk3104NewLeaderTooEarly, "zk-3104",
        "NEWLEADER comes before the snapshot is whole"},
    Bug{Mutant::kZk3127HalfOfAMulti, "zk-3127",
        "a snapshot is no point in time: it may hold half of a multi"},
    Bug{Mutant::kZk3642HalfLoaded, "zk-3642",
        "the snapshot of a synchronization broken off stays in memory"},
    Bug{Mutant::kZk3911AckBeforeDurable, "zk-3911",
        "NEWLEADER is acknowledged before the DIFF is durable"},
    Bug{Mutant::kZk4352NothingMeansAll, "zk-4352", "a follower of unknown history gets a DIFF"},
    Bug{Mutant::kZk4394ForgottenProposals, "zk-4394",
        "proposals outstanding at NEWLEADER are forgotten, their commit is not understood"},
    Bug{Mutant::kZk4643EpochFirst, "zk-4643", "the epoch is durable before the history"},
    Bug{Mutant::kZk4646AckBeforeEntries, "zk-4646",
        "NEWLEADER is acknowledged while the DIFF waits for the disk thread"},
    Bug{Mutant::kZk4685AckOvertakes, "zk-4685",
        "the ack of a proposal overtakes that of NEWLEADER"},
    Bug{Mutant::kZk4712OldRunWrites, "zk-4712", "the disk writes for a run that is over"},
    Bug{Mutant::kZk4882FailedWriteGoesOn, "zk-4882", "a failed write ends nothing"},
    Bug{Mutant::kZk4925HolePassedOn, "zk-4925", "a DIFF with a hole, and no check of continuity"},
    Bug{Mutant::kZk5094TruncatedInMemory, "zk-5094", "a truncation is done in memory alone"},
    Bug{Mutant::kD8EstablishedTooEarly, "d8", "established before a quorum acknowledged NEWLEADER"},
    Bug{Mutant::kD9CacheTrusted, "d9",
        "a restart takes what a failed sync left in the page cache for durable"},
    Bug{Mutant::kD10OldRunHeard, "d10", "messages of an attachment that is over are taken"},
    Bug{Mutant::kD14TailLeftOut, "d14", "a new leader leaves its uncommitted tail out"},
    Bug{Mutant::kD15WholeLogApplied, "d15", "a restart applies its whole log"},
    Bug{Mutant::kD16WipedVoterHelps, "d16",
        "a wiped voter is taken in by a leader that does not know it is deposed"},
};

}  // namespace

std::span<const Bug> catalogue() {
  return kBugs;
}

const Bug* find_bug(std::string_view name) {
  const auto found = std::ranges::find(kBugs, name, &Bug::name);
  return found == kBugs.end() ? nullptr : &*found;
}

Result<KnownSeeds> read_seeds(std::string_view text) {
  KnownSeeds seeds;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const std::size_t gap = std::min(line.find(' '), line.size());
    const std::string_view rest = line.substr(std::min(gap + 1, line.size()));
    Found found;
    const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), found.seed);
    if (find_bug(line.substr(0, gap)) == nullptr || error != std::errc{}) {
      return fail(ErrorCode::kInvalid, fmt::format("no bug and seed: {:?}", line));
    }
    found.violation = std::string(after, rest.data() + rest.size());
    seeds.emplace(line.substr(0, gap), std::move(found));
  }
  for (const Bug& bug : kBugs) {
    if (!seeds.contains(bug.name)) {
      return fail(ErrorCode::kInvalid, fmt::format("no seed is recorded for {}", bug.name));
    }
  }
  return seeds;
}

std::string write_seeds(const KnownSeeds& seeds) {
  std::string text =
      "# The first seed, counted from 1, that finds each bug, and as what; written by\n"
      "# sim_mutants --search --record.\n";
  for (const Bug& bug : kBugs) {
    if (const auto known = seeds.find(bug.name); known != seeds.end()) {
      text += fmt::format("{} {} {}\n", bug.name, known->second.seed, known->second.violation);
    }
  }
  return text;
}

}  // namespace ringside::sim
