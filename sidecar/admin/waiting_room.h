// Where the admin server's threads wait for the control loop's answers: few places, so that threads
// are left for everybody else, and an end to every wait.
//
// Owned by AdminServer. await() on its threads; `answered`, which it hands out, from any thread,
// also long after the wait is over. close() ends all waits at once. Invariant: at most `places`
// threads wait for answers; kEntry at most for a place.
#pragma once

#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "config/base/error.h"
#include "config/base/time.h"
#include "sidecar/admin/trouble.h"

namespace ringside::admin {

class WaitingRoom {
 public:
  static constexpr milliseconds kEntry{100};

  explicit WaitingRoom(std::size_t places) : shared_(std::make_shared<Shared>(places)) {}

  // `ask` is given the function to answer with; its error means that nothing was done. kBusy: no
  // place, or that. kTimeout: no answer within `limit`, or the room was closed.
  template <typename Answer>
  std::expected<Answer, Trouble> await(
      const std::function<Status(std::function<void(Answer)>)>& ask, milliseconds limit) {
    std::unique_lock lock(shared_->mutex);
    const auto free = [this] { return shared_->places > 0 || shared_->closed; };
    if (!shared_->changed.wait_for(lock, kEntry, free) || shared_->closed) {
      return std::unexpected(busy());
    }
    --shared_->places;
    const auto slot = std::make_shared<std::optional<Answer>>();
    lock.unlock();
    const Status asked = ask([shared = shared_, slot](Answer answer) {
      const std::lock_guard guard(shared->mutex);
      *slot = std::move(answer);
      shared->changed.notify_all();
    });
    lock.lock();
    if (asked) {
      shared_->changed.wait_for(lock, limit, [&] { return slot->has_value() || shared_->closed; });
    }
    ++shared_->places;
    shared_->changed.notify_all();
    if (!asked) {
      return std::unexpected(busy());
    }
    if (!slot->has_value()) {
      return std::unexpected(late());
    }
    return std::move(**slot);
  }

  void close();

 private:
  struct Shared {
    explicit Shared(std::size_t free) : places(free) {}
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t places;
    bool closed = false;
  };
  static Trouble busy();
  static Trouble late();

  std::shared_ptr<Shared> shared_;  // answers may come when the room is gone
};

}  // namespace ringside::admin
