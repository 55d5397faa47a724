#include "sidecar/app/descriptor_limit.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

namespace ringside::app {

TEST_CASE("TheSoftLimitOfDescriptorsIsRaisedToTheHardOne") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low{256, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const DescriptorLimit limit = raise_descriptor_limit();
  rlimit now{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(now.rlim_cur == before.rlim_max);
  CHECK(now.rlim_max == before.rlim_max);
  CHECK(limit.soft == before.rlim_max);
  CHECK(limit.hard == before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("ASmallLimitOfDescriptorsIsSaid") {
  CHECK(few_descriptors({4'096, 4'096}).empty());
  CHECK(few_descriptors({4'095, 4'095}).find("only 4095") != std::string::npos);
}

}  // namespace ringside::app
