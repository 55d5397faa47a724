// `POST /v1/drain`, `DELETE /v1/drain`, and what is shown of a drain, whoever began it.
#include <fmt/format.h>

#include <algorithm>

#include "sidecar/app/app_parts.h"
#include "sidecar/discovery/entry.h"

namespace ringside::app {

void App::Parts::start_drain() {
  Drain::Ports ports;
  ports.log = [this](const std::string& line) { log.info(line); };
  ports.name = [this](const coord::SidecarBehind& sidecar) { return name_of(sidecar); };
  draining = std::make_unique<Drain>(ring, registrar.get(), std::move(ports));
}

// A voter without a quorum, and by its last view no other sidecar lives that could call us. With a
// quorum the ring is asked.
bool App::Parts::alone() const {
  if (ring.status().quorum || !ring.has_view() || ring.registry().scoped()) {
    return false;
  }
  return std::ranges::none_of(ring.registry().sessions(), [this](const coord::SessionInfo& one) {
    return one.sidecar && one.id != keeper->session();
  });
}

std::string App::Parts::address_of(coord::MemberId member) const {
  for (const auto& [id, address] : ring.addresses()) {
    if (id == member) {
      return address;
    }
  }
  return {};
}

// The instance whose entry is the session's; empty: it only calls others.
std::string App::Parts::instance_of(coord::SessionId session) const {
  for (const auto& path : ring.registry().ephemerals(session)) {
    if (path.starts_with(discovery::kServicesRoot)) {
      return path.substr(path.rfind('/') + 1);
    }
  }
  return {};
}

std::string App::Parts::name_of(const coord::SidecarBehind& sidecar) const {
  const std::string instance = instance_of(sidecar.session);
  const std::string address = address_of(sidecar.member);
  return fmt::format("{}{}{}{}", sidecar.member.value, address.empty() ? "" : "@", address,
                     instance.empty() ? "" : " (" + instance + ")");
}

Status App::Parts::drain(bool on, std::function<void(admin::DrainAnswer)> answered) {
  return loop.post([this, on, answered = std::move(answered)] { drain_now(on, answered); });
}

void App::Parts::drain_now(bool on, const std::function<void(admin::DrainAnswer)>& answered) {
  const bool stops = shutdown.step() != Shutdown::Step::kServing;
  if (!listening || (stops && !on)) {
    return answered(admin::Trouble{
        stops ? admin::TroubleWord::kStopping : admin::TroubleWord::kBusy,
        stops ? "this sidecar stops: that is not undone" : "this sidecar has not started yet"});
  }
  if (!stops) {
    set_drain(on);
  }
  publish();
  tick_now();
  answered(drain_view());
}

void App::Parts::set_drain(bool on) {
  if (on == draining->on()) {
    return;
  }
  proxy->set_draining(on);
  if (on) {
    log.info("draining, as asked for by the admin port");
    draining->begin(loop.now());
  } else {
    draining->undo(loop.now());
  }
}

admin::DrainView App::Parts::drain_view() const {
  admin::DrainView view;
  view.stopping = shutdown.step() != Shutdown::Step::kServing;
  view.in_flight = proxy->inbound_in_flight();
  if (!draining) {
    return view;
  }
  switch (draining->state()) {
    case Drain::State::kServing:
      view.state = view.stopping ? admin::DrainState::kDraining : admin::DrainState::kServing;
      break;
    case Drain::State::kDraining: view.state = admin::DrainState::kDraining; break;
    case Drain::State::kDrained: view.state = admin::DrainState::kDrained; break;
  }
  if (draining->on() == (view.state != admin::DrainState::kServing)) {
    const Instant since = std::max(draining->since(), started);
    view.since_seconds = std::chrono::duration<double>(loop.now() - since).count();
  }
  view.acknowledged = draining->on() && draining->acknowledged();
  view.detail = draining->detail();
  view.zxid = draining->zxid();
  for (const auto& sidecar : draining->behind()) {
    view.behind.push_back(
        {sidecar.member, address_of(sidecar.member), sidecar.session, sidecar.routed});
  }
  return view;
}

}  // namespace ringside::app
