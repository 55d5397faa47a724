#include "coord/registry/snapshot_loader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/base/check.h"
#include "config/base/crc32c.h"
#include "coord/registry/snapshot_format.h"
#include "coord/registry/state.h"
#include "coord/registry/tree_builder.h"

namespace ringside::coord {
namespace {

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorCode::kCorrupt, fmt::format("registry snapshot refused: {}", why));
}

}  // namespace

// One record at a time, from the bytes that come or, when it is spread over several portions, from
// held_.
struct SnapshotLoader::State {
 public:
  Status add(ByteView bytes) {
    while (!failure_ && !bytes.empty()) {
      const std::size_t wanted = wanted_bytes(held_.empty() ? bytes : ByteView(held_));
      if (held_.empty() && wanted <= bytes.size()) {
        take_record(bytes.first(wanted));
        bytes = bytes.subspan(wanted);
        continue;
      }
      const std::size_t part = std::min(wanted - held_.size(), bytes.size());
      held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
      bytes = bytes.subspan(part);
      // It may want more now that its lengths are there, or less: then it is no record.
      if (held_.size() == wanted && wanted_bytes(held_) <= wanted) {
        take_record(held_);
        held_.clear();
      }
    }
    return status();
  }

  Result<bool> finish(std::size_t nodes) {
    if (!failure_ && !end_) {
      note(bad("its end is missing"));
    }
    if (failure_) {
      return std::unexpected(*failure_);
    }
    const Result<bool> built = builder_->finish(nodes);
    if (!built) {
      note(std::unexpected(built.error()));
    } else if (*built) {
      note(compare_digests());
      done_ = !failure_;
    }
    return failure_ ? Result<bool>(std::unexpected(*failure_)) : Result<bool>(done_);
  }

  Registry take() {
    CHECK(registry_.state_ != nullptr);
    builder_.reset();
    note(fail(ErrorCode::kRefused, "this registry was taken already"));
    return std::move(registry_);
  }

 private:
  friend class SnapshotLoader;

  [[nodiscard]] std::size_t wanted_bytes(ByteView begun) const {
    return builder_ ? record_bytes(begun) : kSnapshotHeaderBytes;
  }
  [[nodiscard]] Status status() const {
    return failure_ ? Status(std::unexpected(*failure_)) : Status();
  }
  void note(const Status& status) {
    if (!status) {
      failure_ = status.error();
    }
  }

  void take_record(ByteView record) {
    ByteReader in(record);
    Status status = builder_ ? dispatch(in, record) : begin(in);
    if (status && !in.done()) {
      status = bad("it has a record of the wrong size");
    }
    check_ = crc32c(record, check_);
    note(status);
  }

  Status begin(ByteReader& in) {
    const SnapshotHeader header = read_header(in);
    if (header.magic != kSnapshotMagic) {
      return bad("it does not begin as one");
    }
    if (header.format != kSnapshotFormat) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("registry snapshot of format {}, this version reads format {}",
                              header.format, kSnapshotFormat));
    }
    RegistryState& state = *registry_.state_;
    state.scoped = header.scoped;
    state.applied = header.applied;
    builder_.emplace(state.tree, state.scoped,
                     [&state](SessionId owner) { return state.sessions.contains(owner); });
    return {};
  }

  Status dispatch(ByteReader& in, ByteView record) {
    if (end_) {
      return bad("it goes on after its end");
    }
    switch (RecordKind{record.front()}) {
      case RecordKind::kNode:
      case RecordKind::kEphemeral: return add_node(in);
      case RecordKind::kSession: return add_session(in);
      case RecordKind::kEnd: return end(in, record);
    }
    return bad("it has a record of no kind");
  }

  // Zxids in order and not after the snapshot.
  Status add_node(ByteReader& in) {
    const NodeRecord record = read_node(in);
    const NodeFacts& facts = record.facts;
    const Zxid applied = registry_.applied();
    if (!in.done() || facts.czxid > facts.mzxid || facts.czxid > facts.pzxid ||
        facts.mzxid > applied || facts.pzxid > applied || facts.creates < 0) {
      return bad(fmt::format("node {} is unsound", record.slot.value));
    }
    return builder_->add(record);
  }

  Status add_session(ByteReader& in) {
    const auto session = read_session(in);
    RegistryState& state = *registry_.state_;
    if (state.scoped || !session || !state.sessions.insert(*session).second) {
      return bad("a session is unsound, or there twice");
    }
    state.session_digest += hash_session(session->first, session->second);
    return {};
  }

  Status end(ByteReader& in, ByteView record) {
    end_ = read_end(in);
    if (end_->check != crc32c(record.first(record.size() - kEndCheckBytes), check_)) {
      return bad("its check is wrong");
    }
    if (end_->nodes != builder_->added() || end_->sessions != registry_.state_->sessions.size()) {
      return bad("records are missing, or too many");
    }
    RegistryState& state = *registry_.state_;
    state.secret = end_->secret;
    if (state.scoped ? bool{state.secret} : !state.sessions.empty() && !state.secret) {
      return bad("the secret of its sessions is missing, or not for observers");
    }
    return {};
  }

  [[nodiscard]] Status compare_digests() const {
    return end_->digest == registry_.digest() && end_->scope_digest == registry_.scope_digest()
               ? Status()
               : bad("its digests are wrong");
  }

  Registry registry_;
  std::optional<TreeBuilder> builder_;  // once the header is read
  Bytes held_;                          // the beginning of a record
  std::uint32_t check_ = 0;
  std::optional<SnapshotEnd> end_;
  bool done_ = false;
  std::optional<Error> failure_;
};

SnapshotLoader::SnapshotLoader() : state_(std::make_unique<State>()) {}
SnapshotLoader::~SnapshotLoader() = default;
SnapshotLoader::SnapshotLoader(SnapshotLoader&&) noexcept = default;
SnapshotLoader& SnapshotLoader::operator=(SnapshotLoader&&) noexcept = default;

Status SnapshotLoader::add(ByteView bytes) {
  return state_->add(bytes);
}

Result<bool> SnapshotLoader::finish(std::size_t nodes) {
  return state_->finish(nodes);
}

Registry SnapshotLoader::take() {
  return state_->take();
}

}  // namespace ringside::coord
