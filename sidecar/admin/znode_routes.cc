#include "sidecar/admin/znode_routes.h"

#include <fmt/format.h>

#include "sidecar/admin/change_guard.h"
#include "sidecar/admin/recovery_view.h"
#include "sidecar/admin/znode_json.h"
#include "sidecar/admin/znode_request.h"

namespace ringside::admin {

namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kAllowed = "GET, HEAD, PUT, POST, DELETE";
// The loop answers within the call's own timeout; this is for one that does not turn.
constexpr milliseconds kGrace{1000};
constexpr const char* kRecoveryRoute = "/v1/ring/recover";

std::vector<std::string> values(const httplib::Request& request, const char* field) {
  std::vector<std::string> all;
  const auto [begin, end] = request.headers.equal_range(field);
  for (auto it = begin; it != end; ++it) {
    all.push_back(it->second);
  }
  return all;
}

struct Render {
  httplib::Response& response;
  bool raw;

  void operator()(const ZnodeRead& read) const {
    if (raw) {
      response.set_content(read.data, "application/octet-stream");
    } else {
      response.set_content(znode_json(read), kJson);
    }
    response.status = 200;
  }
  void operator()(const ZnodeWritten& written) const {
    response.set_content(znode_json(written), kJson);
    response.status = written.created ? 201 : 200;
  }
  void operator()(const ZnodeDeleted& deleted) const {
    response.set_content(znode_json(deleted), kJson);
    response.status = 200;
  }
  void operator()(const Trouble& trouble) const { answer(response, trouble); }
};

void serve(const httplib::Request& request, httplib::Response& response, Control& control,
           WaitingRoom& room) {
  const bool changes = request.method != "GET" && request.method != "HEAD";
  if (const auto refused = changes ? refuse_change(request) : std::nullopt) {
    return answer(response, *refused);
  }
  auto call = read_znode_request(request.method, request.target, request.body);
  if (!call) {
    return answer(response, call.error());
  }
  const bool raw = call->raw;
  const milliseconds limit = call->timeout + kGrace;
  const auto ask = [&](std::function<void(ZnodeAnswer)> answered) {
    return control.ask(std::move(*call), std::move(answered));
  };
  const OwnTime ours;  // the wait is not the client's
  auto answered = room.await<ZnodeAnswer>(ask, limit);
  if (answered) {
    std::visit(Render{response, raw}, *answered);
  } else {
    answer(response, answered.error());
  }
}

void recover(const httplib::Request& request, httplib::Response& response, Control& control,
             WaitingRoom& room) {
  const bool go = request.method == "POST";
  if (const auto refused = go ? refuse_change(request) : std::nullopt) {
    return answer(response, *refused);
  }
  if (request.target != kRecoveryRoute || !request.body.empty()) {
    return answer(response, Trouble{TroubleWord::kBadQuery, "it takes no parameter and no body"});
  }
  const OwnTime ours;
  const auto answered = room.await<RecoveryAnswer>(
      [&](std::function<void(RecoveryAnswer)> done) {
        return control.recover(go, std::move(done));
      },
      kRecoveryLimit);
  const Trouble* trouble = answered ? std::get_if<Trouble>(&*answered) : &answered.error();
  if (trouble != nullptr) {
    return answer(response, *trouble);
  }
  response.status = 200;
  response.set_content(recovery_json(std::get<RecoveryView>(*answered)), kJson);
}

}  // namespace

std::optional<Trouble> refuse_change(const httplib::Request& request) {
  return refuse_change(values(request, "Host"), values(request, "Origin"));
}

void answer(httplib::Response& response, const Trouble& trouble) {
  response.status = kind_of(trouble.word).status;
  response.set_content(trouble_json(trouble), kJson);
}

void add_znode_routes(BoundedServer& server, Control& control, WaitingRoom& room) {
  // The path is read from the target by our own rules: here anything goes, also a line feed.
  const std::string route = fmt::format("{}(/[\\s\\S]*)?", kZnodeRoute);
  const auto handler = [&control, &room](const httplib::Request& request,
                                         httplib::Response& response) {
    serve(request, response, control, room);
  };
  server.Get(route, handler);
  server.Put(route, handler);
  server.Post(route, handler);
  server.Delete(route, handler);
  const auto no_method = [](const httplib::Request& request, httplib::Response& response) {
    response.set_header("Allow", kAllowed);
    answer(response,
           Trouble{TroubleWord::kBadMethod, fmt::format("{} is not understood here; there are {}",
                                                        request.method, kAllowed)});
  };
  server.Patch(route, no_method);
  server.Options(route, no_method);
}

void add_recovery_route(BoundedServer& server, Control& control, WaitingRoom& room) {
  const auto handler = [&control, &room](const httplib::Request& request,
                                         httplib::Response& response) {
    recover(request, response, control, room);
  };
  server.Get(kRecoveryRoute, handler);
  server.Post(kRecoveryRoute, handler);
}

}  // namespace ringside::admin
