#include "sidecar/app/table_feed.h"

namespace ringside::app {

TableFeed::TableFeed(Rng rng, Publish publish, std::function<void(const std::string&)> log)
    : rng_(rng), publish_(std::move(publish)), view_(std::move(log)) {}

Status TableFeed::load(ByteView bytes, const std::string& ring_name, coord::BirthId birth) {
  Status loaded = view_.load(bytes, ring_name, birth);
  loaded_from_disk_ = loaded.has_value();
  rebuild_ = true;
  return loaded;
}

void TableFeed::belongs_to(coord::BirthId birth) {
  if (!birth || birth == birth_) {
    return;
  }
  if (birth_) {
    first_ = (table_ ? table_->version().generation : 0) + 1;
    rebuild_ = true;  // also if no service differs: what is read then is the new ring's
  }
  birth_ = birth;
}

coord::Zxid TableFeed::routed(balancer::TableVersion oldest, coord::Zxid applied) const {
  if (!ring_counts_ || !table_ || oldest.generation < first_) {
    return {};
  }
  const bool newest = oldest.generation == table_->version().generation && !view_.dirty();
  return newest ? applied : coord::Zxid{oldest.zxid};
}

bool TableFeed::refresh(const coord::Registry& registry, bool ring_counts,
                        const config::Settings& settings) {
  reading_ = ring_counts && !view_.refresh(registry, kSlice);
  if (reading_) {
    return false;
  }
  ring_counts_ = ring_counts_ || ring_counts;
  const auto changes = view_.take_changes();
  if (changes.empty() && !rebuild_) {
    return false;
  }
  const coord::Zxid zxid = ring_counts ? registry.applied() : coord::Zxid{};
  table_ =
      rebuild_ || !table_
          ? balancer::build_from_lists(table_.get(), view_.lists(), settings, zxid.packed, rng_)
          : balancer::change_table(*table_, changes, settings, zxid.packed, rng_);
  rebuild_ = false;
  publish_(table_);
  return ring_counts && !changes.empty();
}

}  // namespace ringside::app
