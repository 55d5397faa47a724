#include "sidecar/app/snapshot_maker.h"

#include <fmt/format.h>

#include "sidecar/app/version.h"

namespace ringside::app {

namespace {

admin::RegistrationView registration_of(const SnapshotInputs& in) {
  admin::RegistrationView view;
  if (in.registrar == nullptr) {
    return view;
  }
  view.wanted = true;
  view.service = in.registrar->endpoint().service;
  view.instance = in.registrar->endpoint().instance;
  view.state = discovery::to_string(in.registrar->state());
  view.health = in.checker == nullptr ? "unknown" : balancer::to_string(in.checker->phase());
  view.detail = in.registrar->detail();
  if (view.detail.empty() && in.checker != nullptr && !in.checker->last_failure().empty()) {
    view.detail = "health check: " + in.checker->last_failure();
  }
  return view;
}

admin::RingView ring_of(const SnapshotInputs& in) {
  admin::RingView view;
  view.name = in.settings.ring.name;
  view.address = in.ring.identity().advertise.to_string();
  view.status = in.ring.status();
  view.addresses = in.ring.addresses();
  view.fenced = in.ring.fenced_reason();
  view.routed_zxid = in.ring.routed().packed;
  const bool never = view.status.quorum_seen == Instant{};
  const Instant since = never ? in.started : view.status.quorum_seen;
  view.view_age_seconds = std::chrono::duration<double>(in.now - since).count();
  return view;
}

}  // namespace

std::shared_ptr<const admin::Snapshot> make_snapshot(const SnapshotInputs& in) {
  auto snapshot = std::make_shared<admin::Snapshot>();
  snapshot->registration = registration_of(in);
  snapshot->ring = ring_of(in);
  snapshot->name = in.registrar != nullptr
                       ? snapshot->registration.instance
                       : fmt::format("member-{}", snapshot->ring.status.self.value);
  snapshot->service = snapshot->registration.service;
  snapshot->version = kVersion;
  snapshot->started = in.started;
  snapshot->made = in.now;
  snapshot->drain = in.drain;
  snapshot->config_problem = in.config_problem;
  snapshot->stale = !snapshot->ring.status.quorum;
  const bool view = in.feed.has_view();
  snapshot->ready = in.listening && view;
  if (!in.listening) {
    snapshot->not_ready = "the ports are not open yet";
  } else if (!view) {
    snapshot->not_ready =
        "no view of the services: neither a quorum of the ring nor a copy on disk";
  }
  snapshot->table = in.feed.table();
  return snapshot;
}

}  // namespace ringside::app
