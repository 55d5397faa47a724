#include "coord/codec/txn_codec.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace ringside::coord {
namespace {

// On disk and on the wire: never renumbered.
enum class OpKind : std::uint8_t {
  kCreateNode = 1,
  kDeleteNode = 2,
  kSetData = 3,
  kCreateSession = 4,
  kCloseSession = 5,
  kSetSecret = 6,
  kCloseSlice = 7,
};
constexpr std::size_t kMinOpBytes = 5;      // kind and the length of a path
constexpr std::size_t kMinResultBytes = 8;  // error and the length of a path
constexpr std::size_t kMinPathBytes = 4;

struct OpWriter {
  ByteWriter& out;

  void operator()(const TxnCreateNode& op) const {
    kind(OpKind::kCreateNode);
    out.text(op.path);
    out.blob(op.data);
    out.u64(op.ephemeral_owner.value);
    out.i32(op.parent_cversion);
  }
  void operator()(const TxnDeleteNode& op) const {
    kind(OpKind::kDeleteNode);
    out.text(op.path);
  }
  void operator()(const TxnSetData& op) const {
    kind(OpKind::kSetData);
    out.text(op.path);
    out.blob(op.data);
    out.i32(op.version);
  }
  void operator()(const TxnCreateSession& op) const {
    kind(OpKind::kCreateSession);
    out.u64(op.session.value);
    out.i64(op.timeout.count());
    out.u64(op.sidecar.value);
    out.blob(op.secret);
  }
  void operator()(const TxnCloseSession& op) const {
    kind(OpKind::kCloseSession);
    close(op);
  }
  void operator()(const TxnSetSecret& op) const {
    kind(OpKind::kSetSecret);
    out.u64(op.secret.k0);
    out.u64(op.secret.k1);
  }
  void operator()(const TxnCloseSlice& op) const {
    kind(OpKind::kCloseSlice);
    close(op);
  }
  void close(const auto& op) const {
    out.u64(op.session.value);
    out.u32(static_cast<std::uint32_t>(op.ephemerals.size()));
    for (const std::string& path : op.ephemerals) {
      out.text(path);
    }
  }
  void kind(OpKind value) const { out.u8(static_cast<std::uint8_t>(value)); }
};

Bytes copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

TxnCreateNode read_create_node(ByteReader& in) {
  TxnCreateNode op;
  op.path = in.text(kMaxPathBytes);
  op.data = copy(in.blob(kMaxDataBytes));
  op.ephemeral_owner = SessionId{in.u64()};
  op.parent_cversion = in.i32();
  return op;
}

TxnSetData read_set_data(ByteReader& in) {
  TxnSetData op;
  op.path = in.text(kMaxPathBytes);
  op.data = copy(in.blob(kMaxDataBytes));
  op.version = in.i32();
  return op;
}

TxnCreateSession read_create_session(ByteReader& in) {
  TxnCreateSession op;
  op.session = SessionId{in.u64()};
  op.timeout = milliseconds{in.i64()};
  if (op.timeout <= milliseconds{0} || op.timeout > kMaxSessionTimeout) {
    in.fail();
  }
  op.sidecar = MemberId{in.u64()};
  op.secret = copy(in.blob(kSecretBytes));
  return op;
}

TxnSetSecret read_set_secret(ByteReader& in) {
  TxnSetSecret op;
  op.secret.k0 = in.u64();
  op.secret.k1 = in.u64();
  return op;
}

template <typename Close>
Close read_close(ByteReader& in) {
  Close op;
  op.session = SessionId{in.u64()};
  const std::uint32_t paths = in.count(kMinPathBytes);
  if (paths > kCloseSliceNodes) {
    in.fail();
    return op;
  }
  for (std::uint32_t i = 0; i < paths && in.ok(); ++i) {
    op.ephemerals.push_back(in.text(kMaxPathBytes));
  }
  return op;
}

std::optional<TxnOp> read_op(ByteReader& in) {
  switch (static_cast<OpKind>(in.u8())) {
    case OpKind::kCreateNode: return read_create_node(in);
    case OpKind::kDeleteNode: return TxnDeleteNode{in.text(kMaxPathBytes)};
    case OpKind::kSetData: return read_set_data(in);
    case OpKind::kCreateSession: return read_create_session(in);
    case OpKind::kCloseSession: return read_close<TxnCloseSession>(in);
    case OpKind::kSetSecret: return read_set_secret(in);
    case OpKind::kCloseSlice: return read_close<TxnCloseSlice>(in);
  }
  in.fail();
  return std::nullopt;
}

ZkError read_error(ByteReader& in) {
  const auto error = static_cast<ZkError>(in.i32());
  if (!known(error)) {
    in.fail();
  }
  return error;
}

void read_ops(ByteReader& in, Txn& txn) {
  const std::uint32_t ops = in.count(kMinOpBytes);
  if (ops > kMaxTxnOps) {
    in.fail();
    return;
  }
  for (std::uint32_t i = 0; i < ops && in.ok(); ++i) {
    if (auto op = read_op(in)) {
      txn.ops.push_back(std::move(*op));
    }
  }
}

void read_results(ByteReader& in, Txn& txn) {
  const std::uint32_t results = in.count(kMinResultBytes);
  if (results > kMaxMultiOps) {
    in.fail();
    return;
  }
  for (std::uint32_t i = 0; i < results && in.ok(); ++i) {
    OpResult result;
    result.error = read_error(in);
    result.path = in.text(kMaxPathBytes);
    txn.results.push_back(std::move(result));
  }
}

}  // namespace

Bytes encode_txn(const Txn& txn) {
  ByteWriter out;
  out.u8(kTxnFormat);
  out.u64(txn.origin.member.value);
  out.u64(txn.origin.request.value);
  out.u64(txn.session.value);
  out.i64(txn.time.time_since_epoch().count());
  out.i32(static_cast<std::int32_t>(txn.error));
  out.u32(static_cast<std::uint32_t>(txn.ops.size()));
  for (const TxnOp& op : txn.ops) {
    std::visit(OpWriter{out}, op);
  }
  out.u32(static_cast<std::uint32_t>(txn.results.size()));
  for (const OpResult& result : txn.results) {
    out.i32(static_cast<std::int32_t>(result.error));
    out.text(result.path);
  }
  return out.take();
}

Result<Txn> decode_txn(ByteView bytes) {
  ByteReader in(bytes);
  const std::uint8_t format = in.u8();
  if (in.ok() && format != kTxnFormat) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("transaction of format {}, this version reads format {}", format, kTxnFormat));
  }
  Txn txn;
  txn.origin.member = MemberId{in.u64()};
  txn.origin.request = RequestId{in.u64()};
  txn.session = SessionId{in.u64()};
  txn.time = WallTime{milliseconds{in.i64()}};
  txn.error = read_error(in);
  read_ops(in, txn);
  read_results(in, txn);
  if (!in.done()) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("{} bytes that are not a transaction", bytes.size()));
  }
  return txn;
}

}  // namespace ringside::coord
