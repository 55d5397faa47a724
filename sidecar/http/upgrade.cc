#include "sidecar/http/upgrade.h"

#include <string_view>

#include "sidecar/http/chars.h"

namespace ringside::http {
namespace {

// Calls visit(protocol) for each element of each Upgrade field, until it returns false.
template <typename Visit>
bool each_protocol(const Head& head, Visit&& visit) {
  for (const Field& field : head.fields) {
    if (field.id == FieldId::kUpgrade && !each_element(field.value, visit)) {
      return false;
    }
  }
  return true;
}

bool begins_with(std::string_view text, std::string_view lower_case) {
  return equals_ignoring_case(text.substr(0, lower_case.size()), lower_case);
}

// name, or name/version
bool is_protocol(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view name = text.substr(0, slash);
  const std::string_view version = slash == text.npos ? "1" : text.substr(slash + 1);
  return !name.empty() && !version.empty() && all(kTokenChar, name) && all(kTokenChar, version);
}

bool is_http(std::string_view protocol) {
  return begins_with(protocol, "h2c") || begins_with(protocol, "http/");
}

}  // namespace

bool offers_upgrade(const RequestHead& request) {
  if (!request.upgrade || request.method == Method::kConnect) {
    return false;
  }
  bool any = false;
  const bool sound = each_protocol(request, [&any](std::string_view protocol) {
    any = true;
    return is_protocol(protocol) && !is_http(protocol);
  });
  return any && sound;
}

bool takes_up_offer(const RequestHead& request, const ResponseHead& response) {
  bool any = false;
  const bool offered = each_protocol(response, [&](std::string_view chosen) {
    any = true;
    return !each_protocol(request, [chosen](std::string_view protocol) {
      return !equals_ignoring_case(protocol, chosen);
    });
  });
  return response.upgrade && any && offered;
}

}  // namespace ringside::http
