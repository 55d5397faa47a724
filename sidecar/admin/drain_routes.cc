#include "sidecar/admin/drain_routes.h"

#include <fmt/format.h>

#include "sidecar/admin/znode_routes.h"

namespace ringside::admin {

namespace {

constexpr const char* kRoute = "/v1/drain";
constexpr const char* kJson = "application/json";
constexpr const char* kAllowed = "GET, HEAD, POST, DELETE";
// The loop answers at once; this is for one that does not turn.
constexpr milliseconds kPatience{5000};

void show(httplib::Response& response, const DrainView& view) {
  response.status = 200;
  response.set_content(drain_json(view), kJson);
}

void change(const httplib::Request& request, httplib::Response& response, Control& control,
            WaitingRoom& room) {
  if (const auto refused = refuse_change(request)) {
    return answer(response, *refused);
  }
  if (request.target != kRoute || !request.body.empty()) {
    return answer(response, Trouble{TroubleWord::kBadQuery,
                                    "it takes no parameter and no body: POST begins a drain, "
                                    "DELETE undoes it"});
  }
  const bool on = request.method == "POST";
  const OwnTime ours;
  const auto answered = room.await<DrainAnswer>(
      [&](std::function<void(DrainAnswer)> done) { return control.drain(on, std::move(done)); },
      kPatience);
  const Trouble* trouble = answered ? std::get_if<Trouble>(&*answered) : &answered.error();
  if (trouble != nullptr) {
    return answer(response, *trouble);
  }
  show(response, std::get<DrainView>(*answered));
}

}  // namespace

void add_drain_route(BoundedServer& server, const Published& published, Control& control,
                     WaitingRoom& room) {
  server.Get(kRoute, [&published](const httplib::Request&, httplib::Response& response) {
    show(response, published.get()->drain);
  });
  const auto changes = [&control, &room](const httplib::Request& request,
                                         httplib::Response& response) {
    change(request, response, control, room);
  };
  server.Post(kRoute, changes);
  server.Delete(kRoute, changes);
  const auto no_method = [](const httplib::Request& request, httplib::Response& response) {
    response.set_header("Allow", kAllowed);
    answer(response,
           Trouble{TroubleWord::kBadMethod, fmt::format("{} is not understood here; there are {}",
                                                        request.method, kAllowed)});
  };
  server.Put(kRoute, no_method);
  server.Patch(kRoute, no_method);
  server.Options(kRoute, no_method);
}

}  // namespace ringside::admin
