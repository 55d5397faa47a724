#include "coord/registry/request.h"

namespace ringside::coord {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

bool within_bounds(const CreateSession& create) {
  return create.timeout > milliseconds{0} && create.timeout <= kMaxSessionTimeout;
}

bool within_bounds(const ResumeSession& resume) {
  return resume.secret.size() <= kMaxSecretBytes;
}

bool within_bounds(const Multi& multi) {
  if (multi.ops.size() > kMaxMultiOps) {
    return false;
  }
  std::size_t total_bytes = 0;
  for (const WriteOp& op : multi.ops) {
    const std::size_t path_bytes = std::visit([](const auto& any) { return any.path.size(); }, op);
    const std::size_t data_bytes =
        std::visit(Overloaded{[](const Create& create) { return create.data.size(); },
                              [](const SetData& set) { return set.data.size(); },
                              [](const auto&) { return std::size_t{0}; }},
                   op);
    if (path_bytes > kMaxPathBytes || data_bytes > kMaxDataBytes) {
      return false;
    }
    total_bytes += path_bytes + data_bytes;
  }
  return total_bytes <= kMaxRequestBytes;
}

}  // namespace

bool within_bounds(const Request& request) {
  return std::visit(Overloaded{[](const CreateSession& create) { return within_bounds(create); },
                               [](const Multi& multi) { return within_bounds(multi); },
                               [](const ResumeSession& resume) { return within_bounds(resume); },
                               [](const auto&) { return true; }},
                    request.what);
}

}  // namespace ringside::coord
