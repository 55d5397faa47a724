#include "sidecar/app/kept_identity.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "sidecar/disk/data_dir.h"
#include "sidecar/disk/file_ops.h"

namespace ringside::app {

namespace {

struct TempDir {
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "ringside-app-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

const std::vector<config::Voter> kThree{
    {1, {"10.0.0.1", 4150}}, {2, {"b", 4150}}, {3, {"::1", 4150}}};

}  // namespace

TEST_CASE("TheVotersOfABornRingAreReadAsTheyWereKept") {
  const TempDir dir;
  CHECK(kept_voters(dir.path).error().code == ErrorCode::kNotFound);
  REQUIRE(keep_voters(dir.path, kThree));
  CHECK(kept_voters(dir.path) == kThree);
}

TEST_CASE("AShortenedListDoesNotShortenTheRing") {
  const std::vector<config::Voter> configured{{1, {"10.9.9.9", 4150}}};
  const auto members = committed_voters(kThree, configured);
  CHECK(same_members(members, kThree));
  CHECK(members[0].address.host == "10.9.9.9");
  CHECK(members[1] == kThree[1]);
  CHECK_FALSE(same_members(kThree, configured));
}

TEST_CASE("AFileOfVotersThatIsNotOursIsCorrupt") {
  const TempDir dir;
  for (const char* text :
       {"", "1", "1@", "x@a:1\n", "0@a:1\n", "256@a:1\n", "1@a:1", "1@a:1\n\n", "1@a:99999\n"}) {
    REQUIRE(disk::replace_file(dir.path + "/voters", as_bytes(text)));
    CAPTURE(text);
    CHECK(kept_voters(dir.path).error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("AnObserverKeepsItsId") {
  const TempDir dir;
  CHECK_FALSE(kept_observer_id(dir.path));
  REQUIRE(keep_observer_id(dir.path, coord::MemberId{coord::kMinObserverId + 7}));
  CHECK(kept_observer_id(dir.path) == coord::MemberId{coord::kMinObserverId + 7});
  REQUIRE(disk::replace_file(dir.path + "/observer-id", as_bytes("3\n")));
  CHECK_FALSE(kept_observer_id(dir.path));
}

}  // namespace ringside::app
