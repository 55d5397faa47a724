#include "coord/registry/snapshot_loader.h"

#include <optional>
#include <utility>

namespace ringside::coord {

struct SnapshotLoader::State {
  Bytes bytes;
  std::optional<Registry> loaded;
};

SnapshotLoader::SnapshotLoader() : state_(std::make_unique<State>()) {}
SnapshotLoader::~SnapshotLoader() = default;
SnapshotLoader::SnapshotLoader(SnapshotLoader&&) noexcept = default;
SnapshotLoader& SnapshotLoader::operator=(SnapshotLoader&&) noexcept = default;

Status SnapshotLoader::add(ByteView bytes) {
  state_->bytes.insert(state_->bytes.end(), bytes.begin(), bytes.end());
  return {};
}

Result<bool> SnapshotLoader::finish(std::size_t /*nodes*/) {
  Result<Registry> loaded = Registry::load(state_->bytes);
  if (!loaded) {
    return std::unexpected(loaded.error());
  }
  state_->loaded = std::move(*loaded);
  return true;
}

Registry SnapshotLoader::take() {
  return state_->loaded ? std::move(*state_->loaded) : Registry();
}

}  // namespace ringside::coord
