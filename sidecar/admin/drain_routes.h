// /v1/drain: GET shows, POST begins, DELETE undoes.
//
// Used by admin_server.cc alone. Handlers run on the server's threads; GET reads what is published,
// a change goes to the control loop.
#pragma once

#include "sidecar/admin/bounded_server.h"
#include "sidecar/admin/control.h"
#include "sidecar/admin/published.h"
#include "sidecar/admin/waiting_room.h"

namespace ringside::admin {

// All of them outlive the server's last request.
void add_drain_route(BoundedServer& server, const Published& published, Control& control,
                     WaitingRoom& room);

}  // namespace ringside::admin
