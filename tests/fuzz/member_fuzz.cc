// A member among members that say anything, well-formed and at any time: it must not crash, nor ask
// to be called for ever without time moving, and what it says must be readable.
//
// The first byte picks how it begins: a voter alone, as the leader of peers that behave or as a
// follower of one, or an observer of one.
// After that each step is a word of a peer, made of numbers near those in use or far from them; the
// right answer to what was last said to that peer; a link that ends or opens; a request of a client
// of its own; disk work that is done; or time.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/check.h"
#include "coord/codec/peer_message.h"
#include "coord/codec/request_codec.h"
#include "coord/codec/txn_codec.h"
#include "coord/driver.h"

namespace ringside::coord {
namespace {

constexpr MemberId kVoter{2};  // 1 has the smaller id, 3 the greater one
constexpr MemberId kSelfObserving{kMinObserverId + 9};
constexpr MemberId kObserver{kMinObserverId + 5};
constexpr std::array kPeers{MemberId{1}, MemberId{3}, kObserver};
constexpr BirthId kBirth{42};

class Input {
 public:
  explicit Input(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  bool flag() { return (byte() & 1U) != 0; }
  std::uint64_t word() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) {
      value = (value << 8U) | byte();
    }
    return value;
  }
  Bytes some(std::size_t most) {
    Bytes out(byte() % (most + 1));
    std::ranges::generate(out, [this] { return byte(); });
    return out;
  }

 private:
  ByteView bytes_;
};

class Peers : public DriverPorts, public DiskPort {
 public:
  Peers(Input& input, MemberId self) : input_(input), self_(self) {
    DriverOptions options;
    options.self = self;
    options.voters = {MemberId{1}, kVoter, MemberId{3}};
    options.snapshot_after_bytes = 2000;
    options.segment_bytes = 1000;
    options.snapshot_chunk_bytes = 64;
    options.keep_entries = 8;
    options.close_slice_nodes = 2;
    DiskPort* const disk = self == kVoter ? this : nullptr;
    auto started = Driver::start(options, *this, disk, {}, Rng(7), now_, WallTime{});
    CHECK(started.has_value());
    driver_ = std::move(*started);
    for (const MemberId peer : kPeers) {
      open(peer);
    }
  }

  // Peers behave until it follows or leads.
  void settle(bool it_leads) {
    honest_vote_ = it_leads ? self_ : MemberId{1};
    if (self_ != kVoter) {
      Notification word;
      word.role = Role::kLeading;
      word.vote = MemberId{1};
      word.reign = epoch_ = Epoch{1};
      word.established = true;
      say(MemberId{1}, {0, word});
    }
    for (int i = 0; i < 60 && !driver_->leader(); ++i) {
      finish_disk();
      for (const MemberId peer : {MemberId{1}, MemberId{3}}) {
        for (int words = 0; words < 8; ++words) {
          behave(peer);
        }
      }
      pass(milliseconds(20));
    }
  }

  void step() {
    const MemberId peer = kPeers.at(input_.byte() % kPeers.size());
    switch (input_.byte() % 8) {
      case 0: pass(milliseconds(input_.byte() * 5)); break;
      case 1: finish_disk(); break;
      case 2:
        if (links_.contains(peer)) {
          end(peer);
        } else {
          open(peer);
        }
        break;
      case 3: ask(); break;
      case 4:
      case 5: behave(peer); break;
      default: say(peer, {run(peer), any_message()});
    }
    end_closed();
  }

  // --- DriverPorts
  void send(MemberId to, std::shared_ptr<const Bytes> frame) override {
    FrameReader reader;
    reader.feed(*frame);
    const auto payload = reader.next();
    CHECK(payload.has_value());
    auto read = decode_peer_frame(*payload);
    CHECK(read.has_value());
    if (const auto link = links_.find(to); link != links_.end()) {
      link->second.heard.push_back(std::move(read->envelope));
    }
  }
  void close_link(MemberId peer, std::string) override { closed_.push_back(peer); }
  void reply(RequestId, Reply) override {}
  void applied(Zxid zxid, std::span<const Change>) override { last_ = std::max(last_, zxid); }
  void reloaded(Zxid zxid) override { last_ = std::max(last_, zxid); }
  void watch_event(const WatchEvent&) override {}
  void fenced(const Error&) override {}
  void log(LogSeverity, std::string) override {}
  // --- DiskPort
  void submit(DiskBatch batch) override { disk_.push_back(batch.id); }

 private:
  struct Heard {
    std::uint64_t sent = 0;
    std::deque<Envelope> heard;
    std::uint64_t run = 0;
  };

  void open(MemberId peer) {
    links_[peer] = {};
    driver_->on_link_up(now_, peer);
  }
  void end(MemberId peer) {
    if (links_.erase(peer) > 0) {
      driver_->on_link_down(now_, peer);
    }
  }
  void end_closed() {
    while (!closed_.empty()) {
      const MemberId peer = closed_.back();
      closed_.pop_back();
      end(peer);
    }
  }

  void say(MemberId from, Envelope envelope) {
    const auto link = links_.find(from);
    if (link == links_.end()) {
      return;
    }
    const Bytes bytes = encode_peer_frame({9, ++link->second.sent, std::move(envelope)});
    if (!driver_->on_frame(now_, from, bytes)) {
      end(from);
    }
    end_closed();
  }

  void pass(milliseconds time) {
    now_ += time;
    driver_->on_time(now_, WallTime{} + time);
    for (int turns = 0; driver_->next_deadline() <= now_; ++turns) {
      CHECK(turns < 10'000);
      driver_->on_time(now_, WallTime{} + time);
    }
    end_closed();
  }

  void finish_disk() {
    while (!disk_.empty()) {
      const DiskBatchId id = disk_.front();
      disk_.pop_front();
      driver_->on_disk_done(now_, id, {});
    }
    end_closed();
  }

  void ask() {
    Request request;
    const std::string path = "/" + std::string(1, static_cast<char>('a' + input_.byte() % 4));
    switch (input_.byte() % 4) {
      case 0: request.what = Multi{{Create{path, input_.some(40)}}}; break;
      case 1: request.what = Multi{{Delete{path}}}; break;
      case 2: request.what = Sync{}; break;
      default: request.what = CreateSession{};
    }
    driver_->submit(now_, RequestId{++asked_}, std::move(request));
  }

  // The right answer to the oldest word that has none yet.
  void behave(MemberId peer) {
    const auto link = links_.find(peer);
    if (link == links_.end() || link->second.heard.empty()) {
      return;
    }
    const Envelope word = std::move(link->second.heard.front());
    link->second.heard.pop_front();
    if (word.run != 0) {
      link->second.run = word.run;
    }
    std::visit([&](const auto& body) { answer(peer, word.run, body); }, word.message);
  }
  void answer(MemberId peer, std::uint64_t, const Notification&) {
    if (peer == kObserver) {
      return say(peer, {77, ObserverInfo{}});
    }
    Notification word;
    word.role = honest_vote_ == peer    ? Role::kLeading
                : honest_vote_ == self_ ? Role::kFollowing
                                        : Role::kLooking;
    word.ready = true;
    word.own = {Epoch{}, Zxid{}, true, peer};
    word.vote = honest_vote_;
    word.in_doubt = true;
    say(peer, {0, word});
    if (honest_vote_ == self_) {
      say(peer, {100 + peer.value, FollowerInfo{{}, {}, {}, {}, true}});
    }
  }
  void answer(MemberId peer, std::uint64_t run, const FollowerInfo& it) {
    epoch_ = Epoch{std::max(epoch_.value, it.accepted.value) + 1};
    say(peer, {run, LeaderInfo{it.birth ? it.birth : kBirth, epoch_}});
  }
  void answer(MemberId peer, std::uint64_t run, const AckEpoch& it) {
    say(peer, {run, SyncStart{SyncMode::kDiff, it.last}});
    say(peer, {run, NewLeader{epoch_, it.last, it.last}});
  }
  void answer(MemberId peer, std::uint64_t run, const AckNewLeader& it) {
    say(peer, {run, UpToDate{it.last}});
  }
  void answer(MemberId peer, std::uint64_t run, const LeaderInfo& it) {
    epoch_ = it.epoch;
    say(peer, {run, AckEpoch{it.epoch, {}, {}, false, {Zxid{}}}});
  }
  void answer(MemberId peer, std::uint64_t run, const NewLeader& it) {
    say(peer, {run, AckNewLeader{it.last}});
  }
  void answer(MemberId peer, std::uint64_t run, const Proposal& it) {
    if (!it.entries.empty()) {
      last_ = std::max(last_, it.entries.back().zxid);
      say(peer, {run, Ack{it.entries.back().zxid}});
    }
  }
  void answer(MemberId peer, std::uint64_t run, const Heartbeat& it) {
    say(peer, {run, HeartbeatReply{it.round, it.applied, {}}});
  }
  void answer(MemberId peer, std::uint64_t run, const SnapshotChunk& it) {
    say(peer, {run, SnapshotAck{it.zxid, it.offset + it.bytes.size()}});
  }
  void answer(MemberId peer, std::uint64_t run, const ObserverInfo&) {
    say(peer, {run, ObserverStart{kBirth, epoch_, Zxid{}}});
    say(peer, {run, SnapshotChunk{Zxid{}, 0, true, Registry().snapshot(true)}});
  }
  void answer(MemberId peer, std::uint64_t run, const ForwardedRequest& it) {
    say(peer, {run, RequestRefused{it.id}});
  }
  template <typename Other>
  void answer(MemberId, std::uint64_t, const Other&) {}

  // --- words of any kind
  std::uint64_t run(MemberId peer) {
    const std::uint8_t choice = input_.byte() % 8;
    const auto link = links_.find(peer);
    return choice == 0 || link == links_.end() ? choice : link->second.run;
  }
  Epoch any_epoch() {
    switch (input_.byte() % 6) {
      case 0: return Epoch{};
      case 1: return Epoch{epoch_.value + 1};
      case 2: return Epoch{kMaxEpoch};
      case 3: return Epoch{input_.byte()};
      default: return epoch_;
    }
  }
  Zxid any_zxid() {
    const Zxid applied = driver_->registry().applied();
    switch (input_.byte() % 10) {
      case 0: return Zxid{};
      case 1: return Zxid{any_epoch(), 1};
      case 2: return Zxid{any_epoch(), Zxid::kMaxCounter};
      case 3: return Zxid{any_epoch(), input_.byte()};
      case 4: return Zxid{std::max<std::uint64_t>(applied.packed, 1) - 1};
      case 5: return last_;
      case 6: return last_ = Zxid{last_.packed + 1};
      case 7: return Zxid{epoch_, 1};
      default: return applied;
    }
  }
  MemberId any_member() {
    const std::uint8_t choice = input_.byte() % 6;
    return choice == 0 ? MemberId{input_.word()} : MemberId{choice};
  }
  std::vector<Entry> any_entries() {
    std::vector<Entry> entries;
    Zxid at = any_zxid();
    for (int left = input_.byte() % 4; left > 0; --left) {
      Txn txn;
      txn.origin = {any_member(), RequestId{input_.byte()}};
      if (input_.flag()) {
        txn.ops.emplace_back(
            TxnCreateNode{"/" + std::string(1, static_cast<char>('a' + input_.byte() % 4)),
                          {},
                          {},
                          input_.byte()});
      }
      entries.push_back({at, std::make_shared<const Bytes>(
                                 input_.byte() % 8 == 0 ? input_.some(30) : encode_txn(txn))});
      at = input_.byte() % 8 == 0 ? any_zxid() : Zxid{std::min(at.packed + 1, kLastZxid)};
    }
    return entries;
  }
  Message any_message();

  static constexpr std::uint64_t kLastZxid = Zxid(Epoch{kMaxEpoch}, Zxid::kMaxCounter).packed;
  Input& input_;
  MemberId self_;
  Instant now_{seconds(1000)};
  std::unique_ptr<Driver> driver_;
  std::map<MemberId, Heard> links_;
  std::vector<MemberId> closed_;
  std::deque<DiskBatchId> disk_;
  MemberId honest_vote_{1};
  Epoch epoch_;
  Zxid last_;
  std::uint64_t asked_ = 0;
};

Message Peers::any_message() {
  switch (input_.byte() % 23) {
    case 0:
      return Notification{.role = static_cast<Role>(input_.byte() % 4),
                          .ready = input_.flag(),
                          .own = {any_epoch(), any_zxid(), input_.flag(), any_member()},
                          .vote = any_member(),
                          .reign = any_epoch(),
                          .established = input_.flag(),
                          .in_doubt = input_.flag(),
                          .wants_answer = input_.flag(),
                          .aside = input_.flag()};
    case 1:
      return FollowerInfo{input_.flag() ? kBirth : BirthId{input_.byte()}, any_epoch(), any_epoch(),
                          any_zxid(), input_.flag()};
    case 2: return LeaderInfo{input_.flag() ? kBirth : BirthId{input_.byte()}, any_epoch()};
    case 3: {
      AckEpoch ack{any_epoch(), any_epoch(), any_zxid(), input_.flag(), {}};
      for (int left = input_.byte() % 5; left > 0; --left) {
        ack.ends.push_back(any_zxid());
      }
      return ack;
    }
    case 4: return SyncStart{static_cast<SyncMode>(input_.byte() % 3), any_zxid()};
    case 5: {
      SnapshotChunk chunk{any_zxid(), input_.byte() % 4U, true, input_.some(60)};
      chunk.last = chunk.bytes.empty() || input_.flag();
      return chunk;
    }
    case 6: return SyncEntries{any_entries()};
    case 7: return NewLeader{any_epoch(), any_zxid(), any_zxid()};
    case 8: return AckNewLeader{any_zxid()};
    case 9: return UpToDate{any_zxid()};
    case 10:
    case 11: return Proposal{any_zxid(), any_entries()};
    case 12: return Ack{any_zxid()};
    case 13: return Commit{any_zxid()};
    case 14: return Heartbeat{input_.byte(), any_epoch(), any_zxid(), input_.flag(), Zxid{}, 0, 0};
    case 15: {
      HeartbeatReply reply{input_.word(), any_zxid(), {}};
      reply.touches.assign(input_.byte() % 3, SessionId{input_.byte()});
      reply.routed = any_zxid();
      return reply;
    }
    case 16:
    case 17: {
      Request request;
      request.session = SessionId{input_.byte() % 2U};
      switch (input_.byte() % 6) {
        case 0: request.what = CloseSession{}; break;
        case 1: request.what = Sync{}; break;
        case 2: request.what = Routed{any_zxid()}; break;
        case 3: request.what = ResumeSession{input_.some(20)}; break;
        case 4: request.what = CreateSession{milliseconds(input_.byte()), input_.flag()}; break;
        default: request.what = Multi{{Create{"/a", input_.some(9)}}};
      }
      return ForwardedRequest{RequestId{input_.word()},
                              input_.byte() % 8 == 0 ? input_.some(20) : encode_request(request)};
    }
    case 18: return RequestAnswer{RequestId{input_.word()}, any_zxid(), {}};
    case 19: return RequestRefused{RequestId{input_.word()}};
    case 20:
      return input_.flag() ? Message(ObserverInfo{})
                           : ObserverStart{kBirth, any_epoch(), any_zxid()};
    case 21: return SnapshotAck{any_zxid(), input_.byte()};
    default: return Inform{any_zxid(), any_zxid(), input_.some(20)};
  }
}

}  // namespace
}  // namespace ringside::coord

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringside;
  coord::Input input(ByteView(data, std::min<std::size_t>(size, 4096)));
  const std::uint8_t begins = input.byte() % 4;
  coord::Peers peers(input, begins == 3 ? coord::kSelfObserving : coord::kVoter);
  if (begins > 0) {
    peers.settle(begins == 1);
  }
  while (!input.empty()) {
    peers.step();
  }
  return 0;
}
