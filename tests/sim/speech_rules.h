// Rules about what voters say to each other, judged as the words leave and by what the speaker's
// disk holds. Pure: values in, a Violation out.
//
//   - an epoch's transactions are broadcast by one primary; one zxid has one content, for ever
//     (integrity, local primary order); what is delivered was broadcast
//   - a primary has delivered all of lower epochs before it broadcasts (primary integrity)
//   - a promise, an ack and the acknowledgement of NEWLEADER leave when what they say is durable
//     (D2, D3, D4); acks grow, and come behind that of NEWLEADER
//   - a voter promises an epoch once, and a leader holds its own promise before it gives a history
//     (D4)
//   - a commit is told once a quorum has acknowledged it (the leader's own disk counts as one)
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "coord/codec/peer_message.h"
#include "tests/sim/durable_log.h"
#include "tests/sim/trace.h"

namespace ringside::sim {

// Who speaks, as it stands.
struct Speaker {
  coord::MemberId id;
  coord::Zxid applied;
  DurableState durable;
  bool in_doubt = false;  // then it persists nothing but a whole history (D16)
};

class SpeechRules {
 public:
  explicit SpeechRules(std::size_t voters = 3) : quorum_(voters / 2 + 1) {}

  // Is the message of that kind judged here? (Its place in coord::Message.)
  [[nodiscard]] static bool judges(std::size_t kind);
  // `delivered`: the last zxid that anybody delivered.
  void said(const Speaker& speaker, coord::MemberId to, const coord::Envelope& envelope,
            coord::Zxid delivered);
  // Somebody is the first to deliver it.
  void delivered(coord::Zxid zxid) const;

 private:
  struct Attachment {  // of a follower to a leader, one run
    std::uint64_t run = 0;
    coord::Epoch epoch;
    bool synced = false;
    coord::Zxid acked;
  };
  void broadcast(const coord::Entry& entry);
  void proposed(const Speaker& speaker, const coord::Proposal& proposal, coord::Zxid delivered);
  void promised(const Speaker& speaker, Attachment& at, const coord::AckEpoch& ack);
  void began(const Speaker& speaker, coord::MemberId to, std::uint64_t run) const;
  void synced(const Speaker& speaker, Attachment& at, const coord::AckNewLeader& ack);
  void acked(const Speaker& speaker, Attachment& at, const coord::Ack& ack);
  void committed(const Speaker& speaker, coord::Zxid zxid);

  std::size_t quorum_;
  std::map<coord::Epoch, coord::MemberId> primaries_;
  std::set<std::pair<coord::MemberId, coord::Epoch>> promises_;  // that counted
  std::unordered_map<coord::Zxid, std::uint32_t> contents_;      // check of what was broadcast
  std::map<std::pair<coord::MemberId, coord::MemberId>, Attachment> attachments_;  // from, to
  std::map<coord::MemberId, coord::Zxid> acknowledged_;  // most that a voter ever did
  coord::Zxid committed_;
};

}  // namespace ringside::sim
