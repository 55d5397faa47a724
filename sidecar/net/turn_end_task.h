// A task at the end of each turn of a loop, when no callback of the loop is on the stack: the place
// to destroy what ended inside its own callback, and to send in one go what a turn has gathered.
//
// Owned by whoever wants it done, on the loop's thread; destroyed before its Loop, and not from
// inside the task of any TurnEndTask. Tasks of one loop run in the order in which they were made.
#pragma once

#include <functional>

namespace ringside::net {

class Loop;

class TurnEndTask {
 public:
  TurnEndTask(Loop& loop, std::function<void()> task);
  ~TurnEndTask();
  TurnEndTask(const TurnEndTask&) = delete;
  TurnEndTask& operator=(const TurnEndTask&) = delete;

 private:
  friend class Loop;

  Loop& loop_;
  std::function<void()> task_;
};

}  // namespace ringside::net
