// Turns a failed CHECK of ours into an exception, so that a test can see that a call is refused.
#include "config/base/check.h"

#include <stdexcept>
#include <string>

#undef CHECK
#include "tests/unit/coord_storage/fixture.h"

namespace ringside::coord {

std::string check_failure_of(const std::function<void()>& call) {
  const CheckHandler before = set_check_handler(
      [](const char*, int, const char* condition) { throw std::logic_error(condition); });
  std::string failure;
  try {
    call();
  } catch (const std::logic_error& error) {
    failure = error.what();
  }
  set_check_handler(before);
  return failure;
}

}  // namespace ringside::coord
