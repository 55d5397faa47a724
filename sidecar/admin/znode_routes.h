// The routes of the admin server that go through the control loop: /v1/znode/PATH,
// /v1/ring/recover.
//
// Used by admin_server.cc alone (httplib.h comes with it). Handlers run on the server's threads.
#pragma once

#include "sidecar/admin/bounded_server.h"
#include "sidecar/admin/control.h"
#include "sidecar/admin/waiting_room.h"

namespace ringside::admin {

// `control` and `room` outlive the server's last request.
void add_znode_routes(BoundedServer& server, Control& control, WaitingRoom& room);
void add_recovery_route(BoundedServer& server, Control& control, WaitingRoom& room);

// The answer if this request may change nothing (change_guard.h).
std::optional<Trouble> refuse_change(const httplib::Request& request);
void answer(httplib::Response& response, const Trouble& trouble);

}  // namespace ringside::admin
