// Payload of a frame on a ring link after the handshake. Pure; called by the driver.
//
//   u8 kind (index in Message + 1), u32 link, u64 sequence, u64 run, body
//
// `link` is drawn by the sender when the link opens, `sequence` counts its frames from 1: a frame
// of an earlier link, or seen before, is told apart (coord/driver/link.h). Format version: the
// lower one of the two handshakes. Every length and count is bounded by the bytes at hand.
#pragma once

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/codec/handshake.h"
#include "coord/zab/messages.h"

namespace ringside::coord {

struct PeerFrame {
  std::uint32_t link = 0;
  std::uint64_t sequence = 0;
  Envelope envelope;
};

// A sender's chunks are much smaller (DriverOptions::snapshot_chunk_bytes), but a record goes in
// one piece.
inline constexpr std::size_t kMaxChunkBytes = 8U << 20U;
inline constexpr std::size_t kMaxSnapshotBytes = std::size_t{64} << 30U;
// The longest is a Multi of kMaxRequestBytes whose made parents fill up kMaxTxnOps.
inline constexpr std::size_t kMaxTxnBytes = 16U << 20U;
inline constexpr std::size_t kMaxTouches = 1 << 16;  // of one heartbeat reply
inline constexpr std::size_t kMaxBehind = 1 << 16;   // sidecars named in one answer

// `frame.envelope.message` must be one for the wire (not SnapshotData).
// `version`: what both ends of the link speak (Driver::agreed_version).
Bytes encode_peer_frame(const PeerFrame& frame, std::uint16_t version = kPeerProtocolVersion);
Result<PeerFrame> decode_peer_frame(ByteView payload, std::uint16_t version = kPeerProtocolVersion);

}  // namespace ringside::coord
