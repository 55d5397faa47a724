// RingMember's way out of a quorum that is lost for good (product.md, `ring recover`).
//
// Good path of recover(): the directory is read on the pool and what it comes to is tried without a
// change; then the voter gives way to an observer without a disk (calls go on by the view), its
// disk comes to rest, the new birth and the new list of voters are written, and the voter starts
// anew. Failure paths: it may not (recovery_refused), or the directory is no use: nothing has
// changed. A failure while writing: it goes on as an observer until a restart, which finds the
// history before or after, never between (coord/rebirth.h). A failure after that, to begin by the
// new history in this process: it is done, and the result says that it is unfinished.
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
// Of the directory, in a row, before a log that is written all the while is reported.
constexpr int kReadings = 3;

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
  read_at_rest(kReadings, std::move(done));
}

// What is read while the log is written may not fit together, and would look like damage.
void RingMember::read_at_rest(int tries, RecoveryDone done) {
  auto found = std::make_shared<Result<coord::Rebirth>>(fail(ErrorCode::kIo, "not read"));
  pool_.start(
      [this, found, options = storage_options(), fresh = coord::BirthId{1}] {
        *found = read_rebirth(options, fresh);
      },
      [this, found, tries, before = disk_->log_at_rest(), done = std::move(done)]() mutable {
        const bool rested = before && disk_->log_at_rest() == before;
        if (!rested && tries > 1 && !stopping_) {
          return read_at_rest(tries - 1, std::move(done));
        }
        recovering_ = false;
        if (!rested) {
          return done(fail(ErrorCode::kRefused,
                           "the log was written while it was read: the ring may have a "
                           "quorum; try again"));
        }
        if (!*found) {
          return done(std::unexpected(found->error()));
        }
        done(Recovery{std::move(**found), {}});
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
  struct Work {
    Result<Recovery> result = fail(ErrorCode::kIo, "not read");
    coord::DiskImage image;
  };
  auto work = std::make_shared<Work>();
  pool_.start(
      [this, work, options = storage_options(), voters = identity.voters,
       birth = coord::BirthId{random_birth()}] {
        auto found = read_rebirth(options, birth);
        const Status written = found ? carry_out(data_path_, found->ops, voters)
                                     : Status(std::unexpected(found.error()));
        if (!written) {
          work->result = std::unexpected(written.error());
          return;
        }
        found->ops.clear();
        found->birth = birth;
        work->result = Recovery{std::move(*found), {}};
        if (auto image = data_->read_image()) {
          work->image = std::move(*image);
        } else {
          work->result->unfinished = image.error().message;
        }
      },
      [this, work, identity, settings = std::move(fresh), call = std::move(done)]() mutable {
        recovering_ = false;
        Result<Recovery>& result = work->result;
        if (!result || !result->unfinished.empty()) {
          fenced_reason_ =
              "ring recover: " + (result ? result->unfinished : result.error().message);
        } else if (!stopping_) {
          result->unfinished = begin_anew(std::move(settings), identity, work->image);
        }
        call(std::move(result));
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
std::string RingMember::begin_anew(config::Ring fresh, const RingIdentity& identity,
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
  std::string unfinished;
  if (const Status started = start_driver(image); started) {
    listener_.ring_log(
        coord::LogSeverity::kWarn,
        fmt::format("ring recover: the ring begins anew as birth {:#x} with {} voters",
                    driver_->birth().value, identity_.voters.size()));
  } else {
    unfinished = started.error().message;
    become_observer(unfinished);
  }
  if (const Status listening = open_links(identity.self); !listening && unfinished.empty()) {
    unfinished = listening.error().message;
    listener_.ring_log(coord::LogSeverity::kError,
                       "ring recover: the history is written anew, but the links of this member "
                       "cannot open before a restart: " +
                           unfinished);
  }
  listener_.ring_reloaded();
  after_driver();
  return unfinished;
}

}  // namespace ringside::app
