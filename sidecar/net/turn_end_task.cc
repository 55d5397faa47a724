#include "sidecar/net/turn_end_task.h"

#include <algorithm>
#include <utility>

#include "sidecar/net/loop.h"

namespace ringside::net {

TurnEndTask::TurnEndTask(Loop& loop, std::function<void()> task)
    : loop_(loop), task_(std::move(task)) {
  loop_.turn_end_.push_back(this);
}

TurnEndTask::~TurnEndTask() {
  std::erase(loop_.turn_end_, this);
}

}  // namespace ringside::net
