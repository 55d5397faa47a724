#include "tests/sim/ack_rules.h"

#include "coord/codec/peer_message.h"
#include "tests/sim/message_kind.h"

namespace ringside::sim {

void AckRules::sent(coord::MemberId from, std::size_t message, ByteView payload) {
  if (message != kind<coord::AckNewLeader>() && message != kind<coord::Ack>()) {
    return;
  }
  const auto frame = coord::decode_peer_frame(payload);
  if (!frame) {
    violate("ack legality: member {} sends what cannot be read: {}", from.value,
            frame.error().message);
  }
  const std::uint64_t run = frame->envelope.run;
  auto& [known_run, up_to] = acknowledged_[from];
  if (const auto* first = std::get_if<coord::AckNewLeader>(&frame->envelope.message)) {
    if (known_run == run) {
      violate("ack legality: member {} acknowledges NEWLEADER twice", from.value);
    }
    known_run = run;
    up_to = first->last;
    return;
  }
  const coord::Zxid zxid = std::get<coord::Ack>(frame->envelope.message).zxid;
  if (known_run != run) {
    violate("ack legality: member {} acknowledges {} before NEWLEADER", from.value,
            zxid.to_string());
  }
  if (zxid <= up_to) {
    violate("ack legality: member {} acknowledges {} after {}", from.value, zxid.to_string(),
            up_to.to_string());
  }
  up_to = zxid;
}

}  // namespace ringside::sim
