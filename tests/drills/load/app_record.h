// Which requests an app has seen and answered, by id, in a file that outlives a kill -9 of the app.
//
// Owned by AppServer, one thread; ringside_testing/drill_app.py reads the file. Layout: one byte
// per id, how often its whole request was read; then one byte per id, how often its whole answer
// was given to the kernel. Both stay at 255. An instance that is started again goes on in the same
// file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ringside::drill {

class AppRecord {
 public:
  // Ends the program where the file cannot be made or mapped. An empty path: nothing is kept.
  AppRecord(const std::string& path, std::size_t ids);
  ~AppRecord();
  AppRecord(const AppRecord&) = delete;
  AppRecord& operator=(const AppRecord&) = delete;

  void seen(std::uint64_t id) { count(id, 0); }
  void answered(std::uint64_t id) { count(id, ids_); }

 private:
  void count(std::uint64_t id, std::size_t base);

  std::size_t ids_;
  std::uint8_t* bytes_ = nullptr;
};

}  // namespace ringside::drill
