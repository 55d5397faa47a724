#include "coord/codec/request_codec.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace ringside::coord {
namespace {

// On the wire: never renumbered.
enum class RequestKind : std::uint8_t {
  kCreateSession = 1,
  kCloseSession = 2,
  kMulti = 3,
  kSync = 4,
  kResumeSession = 5,
  kRouted = 6,
};
enum class WriteKind : std::uint8_t { kCreate = 1, kDelete = 2, kSetData = 3, kCheckVersion = 4 };
constexpr std::size_t kMinWriteBytes = 9;  // kind, length of a path, a version or more

struct WriteOpWriter {
  ByteWriter& out;

  void operator()(const Create& op) const {
    head(WriteKind::kCreate, op.path);
    out.blob(op.data);
    out.u8(static_cast<std::uint8_t>(op.mode));
    out.boolean(op.make_parents);
  }
  void operator()(const Delete& op) const {
    head(WriteKind::kDelete, op.path);
    out.i32(op.version);
    out.boolean(op.missing_is_ok);
  }
  void operator()(const SetData& op) const {
    head(WriteKind::kSetData, op.path);
    out.blob(op.data);
    out.i32(op.version);
  }
  void operator()(const CheckVersion& op) const {
    head(WriteKind::kCheckVersion, op.path);
    out.i32(op.version);
  }
  void head(WriteKind kind, const std::string& path) const {
    out.u8(static_cast<std::uint8_t>(kind));
    out.text(path);
  }
};

struct RequestWriter {
  ByteWriter& out;

  void operator()(const CreateSession& create) const {
    kind(RequestKind::kCreateSession);
    out.i64(create.timeout.count());
    out.boolean(create.sidecar);
  }
  void operator()(const CloseSession&) const { kind(RequestKind::kCloseSession); }
  void operator()(const Multi& multi) const {
    kind(RequestKind::kMulti);
    out.u32(static_cast<std::uint32_t>(multi.ops.size()));
    for (const WriteOp& op : multi.ops) {
      std::visit(WriteOpWriter{out}, op);
    }
  }
  void operator()(const Sync&) const { kind(RequestKind::kSync); }
  void operator()(const ResumeSession& resume) const {
    kind(RequestKind::kResumeSession);
    out.blob(resume.secret);
  }
  void operator()(const Routed& routed) const {
    kind(RequestKind::kRouted);
    out.u64(routed.zxid.packed);
  }
  void kind(RequestKind value) const { out.u8(static_cast<std::uint8_t>(value)); }
};

Bytes read_data(ByteReader& in, std::size_t most = kMaxDataBytes) {
  const ByteView data = in.blob(most);
  return {data.begin(), data.end()};
}

CreateMode read_mode(ByteReader& in) {
  const std::uint8_t mode = in.u8();
  if (mode > static_cast<std::uint8_t>(CreateMode::kEphemeralSequential)) {
    in.fail();
    return CreateMode::kPersistent;
  }
  return static_cast<CreateMode>(mode);
}

std::optional<WriteOp> read_write(ByteReader& in) {
  const auto kind = static_cast<WriteKind>(in.u8());
  std::string path = in.text(kMaxPathBytes);
  switch (kind) {
    case WriteKind::kCreate: {
      Create op{.path = std::move(path), .data = read_data(in)};
      op.mode = read_mode(in);
      op.make_parents = in.boolean();
      return op;
    }
    case WriteKind::kDelete: {
      Delete op{.path = std::move(path), .version = in.i32()};
      op.missing_is_ok = in.boolean();
      return op;
    }
    case WriteKind::kSetData: {
      SetData op{.path = std::move(path), .data = read_data(in)};
      op.version = in.i32();
      return op;
    }
    case WriteKind::kCheckVersion: return CheckVersion{std::move(path), in.i32()};
  }
  in.fail();
  return std::nullopt;
}

Multi read_multi(ByteReader& in) {
  Multi multi;
  const std::uint32_t ops = in.count(kMinWriteBytes);
  if (ops > kMaxMultiOps) {
    in.fail();
    return multi;
  }
  for (std::uint32_t i = 0; i < ops && in.ok(); ++i) {
    if (auto op = read_write(in)) {
      multi.ops.push_back(std::move(*op));
    }
  }
  return multi;
}

CreateSession read_create_session(ByteReader& in) {
  CreateSession create{.timeout = milliseconds{in.i64()}};
  create.sidecar = in.boolean();
  return create;
}

void read_what(ByteReader& in, Request& request) {
  switch (static_cast<RequestKind>(in.u8())) {
    case RequestKind::kCreateSession: request.what = read_create_session(in); return;
    case RequestKind::kCloseSession: request.what = CloseSession{}; return;
    case RequestKind::kMulti: request.what = read_multi(in); return;
    case RequestKind::kSync: request.what = Sync{}; return;
    case RequestKind::kResumeSession:
      request.what = ResumeSession{read_data(in, kMaxSecretBytes)};
      return;
    case RequestKind::kRouted: request.what = Routed{Zxid{in.u64()}}; return;
  }
  in.fail();
}

}  // namespace

Bytes encode_request(const Request& request) {
  ByteWriter out;
  out.u8(kRequestFormat);
  out.u64(request.session.value);
  std::visit(RequestWriter{out}, request.what);
  return out.take();
}

Result<Request> decode_request(ByteView bytes) {
  ByteReader in(bytes);
  const std::uint8_t format = in.u8();
  if (in.ok() && format != kRequestFormat) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("request of format {}, this version reads format {}", format, kRequestFormat));
  }
  Request request;
  request.session = SessionId{in.u64()};
  read_what(in, request);
  if (!in.done() || !within_bounds(request)) {
    return fail(ErrorCode::kCorrupt, fmt::format("{} bytes that are not a request", bytes.size()));
  }
  return request;
}

}  // namespace ringside::coord
