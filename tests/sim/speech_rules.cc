#include "tests/sim/speech_rules.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "config/base/crc32c.h"

namespace ringside::sim {

namespace {

using coord::Zxid;

template <typename Wanted, std::size_t at = 0>
constexpr std::size_t kind_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<at, coord::Message>, Wanted>) {
    return at;
  } else {
    return kind_of<Wanted, at + 1>();
  }
}

constexpr std::size_t kJudged[] = {kind_of<coord::AckEpoch>(),    kind_of<coord::SyncStart>(),
                                   kind_of<coord::SyncEntries>(), kind_of<coord::AckNewLeader>(),
                                   kind_of<coord::UpToDate>(),    kind_of<coord::Proposal>(),
                                   kind_of<coord::Ack>(),         kind_of<coord::Commit>()};

}  // namespace

bool SpeechRules::judges(std::size_t kind) {
  return std::ranges::find(kJudged, kind) != std::end(kJudged);
}

void SpeechRules::said(const Speaker& speaker, coord::MemberId to, const coord::Envelope& envelope,
                       Zxid delivered) {
  Attachment& at = attachments_[{speaker.id, to}];
  if (std::holds_alternative<coord::AckEpoch>(envelope.message)) {
    at = Attachment{.run = envelope.run, .epoch = {}, .synced = false, .acked = {}};
  }
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, coord::AckEpoch>) {
          promised(speaker, at, body);
        } else if constexpr (std::is_same_v<Body, coord::SyncStart>) {
          began(speaker, to, envelope.run);
        } else if constexpr (std::is_same_v<Body, coord::SyncEntries>) {
          std::ranges::for_each(body.entries, [this](const auto& entry) { broadcast(entry); });
        } else if constexpr (std::is_same_v<Body, coord::AckNewLeader>) {
          synced(speaker, at, body);
        } else if constexpr (std::is_same_v<Body, coord::UpToDate>) {
          committed(speaker, body.commit);
        } else if constexpr (std::is_same_v<Body, coord::Proposal>) {
          proposed(speaker, body, delivered);
        } else if constexpr (std::is_same_v<Body, coord::Ack>) {
          acked(speaker, at, body);
        } else if constexpr (std::is_same_v<Body, coord::Commit>) {
          committed(speaker, body.zxid);
        }
      },
      envelope.message);
}

void SpeechRules::broadcast(const coord::Entry& entry) {
  const std::uint32_t check = crc32c(*entry.txn);
  const auto [known, added] = contents_.try_emplace(entry.zxid, check);
  if (known->second != check) {
    violate("integrity: {} is broadcast with another content than before", entry.zxid.to_string());
  }
}

void SpeechRules::proposed(const Speaker& speaker, const coord::Proposal& proposal,
                           Zxid delivered) {
  for (const coord::Entry& entry : proposal.entries) {
    const coord::Epoch epoch = entry.zxid.epoch();
    const auto [primary, first] = primaries_.try_emplace(epoch, speaker.id);
    if (primary->second != speaker.id) {
      violate("primary: {} of epoch {} is broadcast by {} and the others by {}",
              entry.zxid.to_string(), epoch.value, speaker.id.value, primary->second.value);
    }
    if (first && delivered.epoch() < epoch && speaker.applied < delivered) {
      violate("primary integrity: member {} broadcasts in epoch {} at {}, {} was delivered",
              speaker.id.value, epoch.value, speaker.applied.to_string(), delivered.to_string());
    }
    broadcast(entry);
  }
  committed(speaker, proposal.commit);
}

void SpeechRules::promised(const Speaker& speaker, Attachment& at, const coord::AckEpoch& ack) {
  at.epoch = ack.epoch;
  if (ack.counts && (speaker.durable.accepted < ack.epoch || speaker.durable.last < ack.last)) {
    violate("D4: member {} promises epoch {} with a log to {}; its disk holds {} and {}",
            speaker.id.value, ack.epoch.value, ack.last.to_string(), speaker.durable.accepted.value,
            speaker.durable.last.to_string());
  }
  if (ack.counts && !promises_.emplace(speaker.id, ack.epoch).second) {
    violate("D4: member {} promises epoch {} twice", speaker.id.value, ack.epoch.value);
  }
}

// A leader sends its history to `to`: the epoch has its quorum of promises.
void SpeechRules::began(const Speaker& speaker, coord::MemberId to, std::uint64_t run) const {
  const auto found = attachments_.find({to, speaker.id});
  if (found == attachments_.end() || found->second.run != run) {
    return;  // it promised and died
  }
  const coord::Epoch epoch = found->second.epoch;
  if (!speaker.in_doubt && speaker.durable.accepted < epoch) {
    violate("D4: member {} begins epoch {} and holds its own promise for {}", speaker.id.value,
            epoch.value, speaker.durable.accepted.value);
  }
}

void SpeechRules::synced(const Speaker& speaker, Attachment& at, const coord::AckNewLeader& ack) {
  if (speaker.durable.last < ack.last || speaker.durable.current < at.epoch) {
    violate("D3: member {} acknowledges NEWLEADER of epoch {} to {}; its disk holds {} to {}",
            speaker.id.value, at.epoch.value, ack.last.to_string(), speaker.durable.current.value,
            speaker.durable.last.to_string());
  }
  at.synced = true;
  at.acked = ack.last;
  Zxid& most = acknowledged_[speaker.id];
  most = std::max(most, ack.last);
}

void SpeechRules::acked(const Speaker& speaker, Attachment& at, const coord::Ack& ack) {
  if (!at.synced || ack.zxid < at.acked) {
    violate("D2: member {} acknowledges {} {}", speaker.id.value, ack.zxid.to_string(),
            at.synced ? "behind a later one" : "before NEWLEADER");
  }
  if (speaker.durable.last < ack.zxid) {
    violate("D2: member {} acknowledges {}, its disk holds {}", speaker.id.value,
            ack.zxid.to_string(), speaker.durable.last.to_string());
  }
  at.acked = ack.zxid;
  Zxid& most = acknowledged_[speaker.id];
  most = std::max(most, ack.zxid);
}

void SpeechRules::committed(const Speaker& speaker, Zxid zxid) {
  if (zxid <= committed_) {
    return;
  }
  std::size_t holders = speaker.durable.last >= zxid ? 1 : 0;
  for (const auto& [voter, most] : acknowledged_) {
    holders += voter != speaker.id && most >= zxid ? 1 : 0;
  }
  if (holders < quorum_) {
    violate("commit: member {} tells of {} as committed, {} voters hold it", speaker.id.value,
            zxid.to_string(), holders);
  }
  committed_ = zxid;
}

void SpeechRules::delivered(Zxid zxid) const {
  if (!contents_.contains(zxid)) {
    violate("integrity: {} is delivered and nobody broadcast it", zxid.to_string());
  }
}

}  // namespace ringside::sim
