// Makes the snapshot that the admin server shows from the parts of the app. Loop thread only; pure
// but for reading the parts.
#pragma once

#include <memory>
#include <optional>

#include "sidecar/admin/published.h"
#include "sidecar/app/ring_member.h"
#include "sidecar/app/table_feed.h"
#include "sidecar/discovery/registrar.h"
#include "sidecar/health/checker.h"

namespace ringside::app {

struct SnapshotInputs {
  const config::Settings& settings;
  const RingMember& ring;
  const TableFeed& feed;
  const discovery::Registrar* registrar = nullptr;  // none without a service
  const health::Checker* checker = nullptr;
  bool listening = false;  // every port is open
  admin::DrainView drain;
  std::string config_problem;
  Instant started{};
  Instant now{};
};

std::shared_ptr<const admin::Snapshot> make_snapshot(const SnapshotInputs& inputs);

}  // namespace ringside::app
