// Transactions as bytes: what the log holds and the links carry. Called by the driver. Pure; any
// thread.
//
// Layout (big-endian): u8 version, u64 member, u64 request, u64 session, i64 time_ms, i32 error,
// u32 count and the operations (u8 kind, fields in the order of txn.h), u32 count and the results
// (i32 error, text path). Stats are not in it. Equal transactions give equal bytes.
#pragma once

#include "config/base/bytes.h"
#include "config/base/error.h"
#include "coord/registry/txn.h"

namespace ringside::coord {

inline constexpr std::uint8_t kTxnFormat = 1;

Bytes encode_txn(const Txn& txn);
// Untrusted bytes. kUnsupported: a later format; kCorrupt: anything else that encode_txn does not
// make.
Result<Txn> decode_txn(ByteView bytes);

}  // namespace ringside::coord
