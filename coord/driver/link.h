// One open link to another member, as the driver keeps it: numbers every frame that leaves, and
// tells frames of an earlier link or seen before from new ones (D10). With it the protocol may rely
// on order without loss or repetition, whatever the transport does.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "coord/codec/peer_message.h"

namespace ringside::coord {

class Link {
 public:
  // `number`: drawn anew for each link, never 0. `version`: what both ends speak.
  Link(std::uint32_t number, std::uint16_t version) : number_(number), version_(version) {}

  [[nodiscard]] std::uint16_t version() const { return version_; }

  [[nodiscard]] PeerFrame number_frame(Envelope envelope) {
    return {number_, ++sent_, std::move(envelope)};
  }

  // True: take it. False: drop it. An error: frames are missing.
  Result<bool> accept(const PeerFrame& frame) {
    if (theirs_ == 0 && frame.sequence == 1) {
      theirs_ = frame.link;
    }
    if (theirs_ == 0) {  // its first is lost: nothing on this link could ever be taken
      return fail(ErrorCode::kInvalid,
                  fmt::format("the link begins with frame {}", frame.sequence));
    }
    if (frame.link != theirs_ || frame.link == 0 || frame.sequence <= received_) {
      return false;
    }
    if (frame.sequence != received_ + 1) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("frame {} came after frame {}", frame.sequence, received_));
    }
    received_ = frame.sequence;
    return true;
  }

 private:
  std::uint32_t number_;
  std::uint16_t version_;
  std::uint64_t sent_ = 0;
  std::uint32_t theirs_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace ringside::coord
