#include "config/reload.h"

#include <fmt/format.h>

#include <span>

#include "config/schema.h"

namespace ringside::config {

namespace {

void note(Changes& changes, std::string key, std::string_view what, bool live) {
  std::string sentence =
      fmt::format("{}: {}{}", key, what, live ? "" : " (needs a restart; unchanged until then)");
  (live ? changes.live : changes.restart).push_back(Change{std::move(key), std::move(sentence)});
}

// The keys of one part that differ. `base` leaves out those that follow it: pairs of what was and
// what is.
template <typename Target>
void compare(std::span<const Key<Target>> keys, std::string_view block, const Target& was,
             const Target& is, Changes& changes, const Target* base_was = nullptr,
             const Target* base_is = nullptr) {
  for (const Key<Target>& row : keys) {
    const bool follows = base_was != nullptr && row.same != nullptr && row.same(*base_was, was) &&
                         row.same(*base_is, is);
    if (row.same != nullptr && !row.same(was, is) && !follows) {
      const auto shown = [&row](const Target& from) {
        const std::string text = row.show(row.rule, from);
        return text.empty() ? std::string("none") : text;
      };
      note(changes, join_key(block, row.path), fmt::format("{} -> {}", shown(was), shown(is)),
           row.live);
    }
  }
}

void compare_upstreams(const Settings& running, const Settings& fresh, Changes& changes) {
  for (const auto& [name, was] : running.upstreams) {
    const std::string key = join_key("upstreams", name);
    const auto is = fresh.upstreams.find(name);
    if (is == fresh.upstreams.end()) {
      note(changes, key, "the block is gone, the defaults hold", true);
    } else {
      compare(upstream_keys(), key, was, is->second, changes, &running.defaults, &fresh.defaults);
    }
  }
  for (const auto& [name, is] : fresh.upstreams) {
    if (!running.upstreams.contains(name)) {
      note(changes, join_key("upstreams", name), "a new block", true);
    }
  }
}

template <typename Target>
void take_live(std::span<const Key<Target>> keys, const Target& from, Target& to) {
  for (const Key<Target>& row : keys) {
    if (row.live && row.copy != nullptr) {
      row.copy(from, to);
    }
  }
}

}  // namespace

Changes diff(const Settings& running, const Settings& fresh) {
  Changes changes;
  if (running.service.has_value() != fresh.service.has_value()) {
    note(changes, "service", fresh.service ? "a new block" : "the block is gone", false);
  } else if (running.service) {
    compare(service_keys(), "service", *running.service, *fresh.service, changes);
  }
  if (running.ring.present != fresh.ring.present) {
    note(changes, "ring", fresh.ring.present ? "a new block" : "the block is gone", false);
  }
  compare(settings_keys(), "", running, fresh, changes);
  compare(upstream_keys(), "defaults", running.defaults, fresh.defaults, changes);
  compare_upstreams(running, fresh, changes);
  return changes;
}

Settings merge_live(const Settings& running, const Settings& fresh) {
  Settings merged = running;
  take_live(settings_keys(), fresh, merged);
  if (merged.service && fresh.service) {
    take_live(service_keys(), *fresh.service, *merged.service);
  }
  merged.defaults = fresh.defaults;
  merged.upstreams = fresh.upstreams;
  return merged;
}

}  // namespace ringside::config
