// RingMember's way out of a quorum that is lost for good (product.md, `ring recover`).
//
// Good path of recover(): the directory is read on the pool and what it comes to is tried without a
// change; then the voter gives way to an observer without a disk (calls go on by the view), its
// disk comes to rest, the new birth and the new list of voters are written, and the voter starts
// anew. Failure paths: it may not (recovery_refused), or the directory is no use: nothing has
// changed. A failure while writing: it goes on as an observer until a restart, which finds the
// history before or after, never between (coord/rebirth.h).
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "coord/rebirth.h"
#include "sidecar/app/kept_identity.h"
#include "sidecar/app/ring_member.h"
#include "sidecar/disk/data_dir.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::app {

namespace {

// An election takes far less; a person who asks earlier asks too early.
constexpr int kElectionsToWait = 5;

Status carry_out(const std::string& directory, const std::vector<coord::DiskOp>& ops,
                 const std::vector<config::Voter>& voters) {
  disk::FileSet files(directory);
  for (const coord::DiskOp& op : ops) {
    if (Status done = files.run(op); !done) {
      return done;
    }
  }
  std::error_code none;  // what is not there any more is what we want
  std::filesystem::remove(fmt::format("{}/{}", directory, disk::kViewFile), none);
  // Last: the new history with the old list waits for members that it refuses, until it is
  // recovered again; the old history with the new list could lead beside the others.
  return keep_voters(directory, voters);
}

}  // namespace

std::string RingMember::recovery_refused() const {
  if (recovering_) {
    return "a recovery is under way";
  }
  if (!identity_.voter || !data_) {
    return fenced_reason_.empty()
               ? "this sidecar is no voter: only a voter has the ring's history"
               : "this voter is out of the ring until a restart: " + fenced_reason_;
  }
  if (driver_->leader()) {
    return "the ring has a leader: a ring with a quorum never needs this";
  }
  const coord::RingStatus status = driver_->status();
  if (!status.short_of_room.empty()) {
    return "this member stands aside, the ring may have a quorum: " + status.short_of_room;
  }
  for (const coord::MemberStatus& member : status.members) {
    const bool led = member.role == coord::Role::kLeading || member.role == coord::Role::kFollowing;
    if (member.id != status.self && member.voter && member.connected && led) {
      return fmt::format("voter {} leads or follows: the ring may have a quorum", member.id.value);
    }
  }
  const Duration patience = settings_.election_timeout * kElectionsToWait;
  const Instant last = std::max(status.quorum_seen, started_);
  if (loop_.now() - last < patience) {
    return fmt::format("too early: wait until no leader was heard of for {} ms",
                       std::chrono::duration_cast<milliseconds>(patience).count());
  }
  return {};
}

void RingMember::plan_recovery(RecoveryDone done) {
  if (std::string why = recovery_refused(); !why.empty()) {
    return done(fail(ErrorCode::kRefused, std::move(why)));
  }
  recovering_ = true;
  auto found = std::make_shared<Result<coord::Rebirth>>(fail(ErrorCode::kIo, "not read"));
  pool_.start([this, found, options = storage_options(),
               fresh = coord::BirthId{1}] { *found = read_rebirth(options, fresh); },
              [this, found, done = std::move(done)] {
                recovering_ = false;
                done(std::move(*found));
              });
}

void RingMember::recover(config::Ring fresh, RecoveryDone done) {
  plan_recovery([this, fresh = std::move(fresh), done = std::move(done)](auto plan) mutable {
    if (!plan || stopping_) {
      return done(std::move(plan));
    }
    // The directory may be large: a leader may have come while it was read.
    if (std::string why = recovery_refused(); !why.empty()) {
      return done(fail(ErrorCode::kRefused, std::move(why)));
    }
    recovering_ = true;
    listener_.ring_log(coord::LogSeverity::kWarn,
                       "ring recover: this voter stands aside while its history is written anew");
    become_observer("`ring recover` is under way");
    after_driver();
    disk_->shut_down([this, settings = std::move(fresh), call = std::move(done)]() mutable {
      write_recovery(std::move(settings), std::move(call));
    });
  });
}

// The old run's disk has come to rest. May be called from the executor's own callback.
void RingMember::write_recovery(config::Ring fresh, RecoveryDone done) {
  config::Settings whole;
  whole.ring = fresh;
  const RingIdentity identity = identify(whole, coord::MemberId{});
  auto found = std::make_shared<Result<coord::Rebirth>>(fail(ErrorCode::kIo, "not read"));
  auto image = std::make_shared<coord::DiskImage>();
  pool_.start(
      [this, found, image, options = storage_options(), voters = identity.voters,
       birth = coord::BirthId{random_birth()}] {
        *found = read_rebirth(options, birth);
        if (!*found) {
          return;
        }
        Status written = carry_out(data_path_, (*found)->ops, voters);
        auto reread = written ? data_->read_image() : std::unexpected(written.error());
        if (!reread) {
          *found = std::unexpected(reread.error());
          return;
        }
        (*found)->ops.clear();
        (*found)->birth = birth;
        *image = std::move(*reread);
      },
      [this, found, image, identity, settings = std::move(fresh),
       call = std::move(done)]() mutable {
        recovering_ = false;
        if (!stopping_ && *found) {
          const Status started = begin_anew(std::move(settings), identity, *image);
          if (!started) {
            *found = std::unexpected(started.error());
          }
        } else if (!*found) {
          fenced_reason_ = "ring recover: " + found->error().message;
        }
        call(std::move(*found));
      });
}

Result<coord::Rebirth> RingMember::read_rebirth(const coord::StorageOptions& options,
                                                coord::BirthId fresh) const {
  auto image = data_->read_image();
  if (!image) {
    return std::unexpected(image.error());
  }
  return coord::rebirth(options, *image, fresh);
}

// A voter of the new birth, with links of its own.
Status RingMember::begin_anew(config::Ring fresh, const RingIdentity& identity,
                              const coord::DiskImage& image) {
  peers_->stop();
  peers_.reset();
  disk_.reset();
  driver_.reset();
  settings_ = std::move(fresh);
  identity_ = identity;
  fenced_reason_.clear();
  addresses_.clear();
  members_kept_ = true;
  drop_waiting();
  if (Status started = start_driver(image); !started) {
    become_observer(started.error().message);
  }
  listener_.ring_log(coord::LogSeverity::kWarn,
                     fmt::format("ring recover: the ring begins anew as birth {:#x} with {} voters",
                                 driver_->handshake().birth.value, identity_.voters.size()));
  const Status listening = open_links(identity.self);
  listener_.ring_reloaded();
  after_driver();
  return listening;
}

}  // namespace ringside::app
