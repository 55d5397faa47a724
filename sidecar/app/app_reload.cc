// Taking the settings anew. Good path: what may change alive changes, the rest is named. Failure
// paths: a file with a problem, or a mix of old and new that does not hold, changes nothing and
// says so (log and /v1/status); a port that cannot be opened is said likewise, and tried again.
#include <fmt/format.h>

#include "config/reload.h"
#include "config/validate.h"
#include "sidecar/app/app_parts.h"

namespace ringside::app {

void App::Parts::reload(const char* why) {
  auto fresh = source.read();
  if (!fresh) {
    config_problem = fresh.error().front().to_string();
    for (const auto& problem : fresh.error()) {
      log.error("the settings were not taken: " + problem.to_string());
    }
    tick_soon();
    return;
  }
  const config::Changes changes = config::diff(*settings, *fresh);
  for (const auto& change : changes.restart) {
    log.warn("not taken until a restart: " + change.sentence);
  }
  config::Settings merged = config::merge_live(*settings, *fresh);
  if (const auto clashes = config::check(merged); !clashes.empty()) {
    config_problem = clashes.front().to_string();
    log.error("the settings were not taken: " + config_problem);
    tick_soon();
    return;
  }
  config_problem.clear();
  settings = std::make_shared<const config::Settings>(std::move(merged));
  for (const auto& change : changes.live) {
    log.info("setting changed: " + change.sentence);
  }
  log.reconfigure(settings->log);
  log.info(fmt::format("settings read again: {}", why),
           {{"changes", static_cast<std::int64_t>(changes.live.size())}});
  proxy->publish(settings);
  feed.settings_changed();
  refresh_table();
  if (settings->service && registrar) {
    const auto& service = *settings->service;
    registrar->set_details(loop.now(), service.weight, service.zone, service.metadata);
    if (checker) {
      checker->reconfigure(service.health_check);
    }
  }
  tick_soon();
}

void App::Parts::ports_changed(const std::string& closed) {
  closed_ports = closed;
  if (closed.empty()) {
    log.info("every port of the settings is open now");
  } else {
    log.warn("tried again each second: " + closed);
  }
  tick_soon();
}

}  // namespace ringside::app
