#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "sidecar/app/config_source.h"

namespace ringside::app {

namespace fs = std::filesystem;

namespace {

struct TempFile {
  TempFile() {
    std::string name = (fs::temp_directory_path() / "ringside-source-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    dir = name;
    path = dir + "/ringside.yaml";
  }
  ~TempFile() { fs::remove_all(dir); }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
  std::string dir;
  std::string path;
};

}  // namespace

TEST_CASE("AFileIsReadWithWhatIsSetOverIt") {
  const TempFile file;
  file.write("proxy: {workers: 3, outbound: 127.0.0.1:5000}\n");
  ConfigSource source(file.path, {config::Override{"proxy.workers", "2"}});
  const auto settings = source.read();
  REQUIRE(settings.has_value());
  CHECK(settings->proxy.workers == 2);
  CHECK(settings->proxy.outbound.port == 5000);
  CHECK(source.path() == file.path);
}

TEST_CASE("AChangedFileIsSeenOnce") {
  const TempFile file;
  file.write("log: {level: info}\n");
  ConfigSource source(file.path);
  REQUIRE(source.read().has_value());
  CHECK_FALSE(source.changed());
  file.write("log: {level: debug}\n");
  CHECK(source.changed());
  CHECK(source.changed());
  REQUIRE(source.read().has_value());
  CHECK_FALSE(source.changed());
  // As editors do it: another file under the same name, of the same length.
  std::ofstream(file.dir + "/new") << "log: {level: error}\n";
  fs::rename(file.dir + "/new", file.path);
  CHECK(source.changed());
}

TEST_CASE("AFileThatIsAwayForAMomentIsNoChange") {
  const TempFile file;
  file.write("log: {level: info}\n");
  ConfigSource source(file.path);
  REQUIRE(source.read().has_value());
  fs::remove(file.path);
  CHECK_FALSE(source.changed());
}

TEST_CASE("ABadFileIsSeenAsChangedOnceToo") {
  const TempFile file;
  file.write("logg: 1\n");
  ConfigSource source(file.path);
  const auto read = source.read();
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().front().line == 1);
  CHECK_FALSE(source.changed());
}

TEST_CASE("WhatCannotBeReadIsAProblemThatNamesIt") {
  const TempFile file;
  const auto missing = ConfigSource(file.path).read();
  REQUIRE_FALSE(missing.has_value());
  REQUIRE(missing.error().size() == 1);
  CHECK(missing.error()[0].to_string().find(file.path) != std::string::npos);
  CHECK_FALSE(ConfigSource(file.dir).read().has_value());
  file.write(std::string((std::size_t{1} << 20U) + 2, '#'));
  const auto huge = ConfigSource(file.path).read();
  REQUIRE_FALSE(huge.has_value());
  CHECK(huge.error()[0].to_string().find("1 MiB") != std::string::npos);
}

TEST_CASE("WithoutAFileTheCommandLineIsAllThereIs") {
  config::CommandLine line;
  line.service = "orders=127.0.0.1:8080";
  ConfigSource source(line);
  const auto settings = source.read();
  REQUIRE(settings.has_value());
  REQUIRE(settings->service.has_value());
  CHECK(settings->service->name == "orders");
  CHECK_FALSE(source.changed());
}

}  // namespace ringside::app
