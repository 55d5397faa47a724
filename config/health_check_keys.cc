#include "config/health_check_keys.h"

#include <fmt/format.h>

namespace ringside::config {

namespace {

void read_no_check(const Input& in, Service& out) {
  if (in.node.text != "none") {
    in.expected("none, or a block such as {http: /healthz, interval: 2s}");
    return;
  }
  out.health_check.kind = HealthCheckKind::kNone;
}

void read_tcp_check(const Input& in, Service& out) {
  bool on = true;
  read(in, on);
  HealthCheck& check = out.health_check;
  if (on && check.kind == HealthCheckKind::kHttp) {
    in.problem(in.node.place, "tcp or http, not both");
  } else if (check.kind != HealthCheckKind::kHttp) {
    check.kind = on ? HealthCheckKind::kTcp : HealthCheckKind::kNone;
  }
}

void read_http_check(const Input& in, Service& out) {
  HealthCheck& check = out.health_check;
  if (check.kind == HealthCheckKind::kTcp && in.report.written("service.health_check.tcp")) {
    in.problem(in.node.place, "tcp or http, not both");
    return;
  }
  read(in, check.http_path);
  check.kind = HealthCheckKind::kHttp;
}

std::string show_check(const Rule&, const Service& from) {
  switch (from.health_check.kind) {
    case HealthCheckKind::kNone: return "none";
    case HealthCheckKind::kTcp: return "{tcp: true}";
    case HealthCheckKind::kHttp: return fmt::format("{{http: {}}}", from.health_check.http_path);
  }
  return "unknown";
}

}  // namespace

std::vector<Key<Service>> health_check_kinds() {
  Key<Service> whole;
  whole.path = "health_check";
  whole.live = true;
  whole.fallback = "{tcp: true}";
  whole.range = "none, or a block of the keys below";
  whole.read = read_no_check;
  whole.show = show_check;
  whole.same = [](const Service& a, const Service& b) {
    return a.health_check.kind == b.health_check.kind &&
           a.health_check.http_path == b.health_check.http_path;
  };
  whole.copy = [](const Service& from, Service& to) {
    to.health_check.kind = from.health_check.kind;
    to.health_check.http_path = from.health_check.http_path;
  };
  Key<Service> tcp;
  tcp.path = "health_check.tcp";
  tcp.live = true;
  tcp.fallback = "true";
  tcp.range = "true, false";
  tcp.read = read_tcp_check;
  Key<Service> http;
  http.path = "health_check.http";
  http.rule = Rule{.check = check_http_path, .range = "a path such as /healthz"};
  http.live = true;
  http.fallback = "\"\"";
  http.range = http.rule.range;
  http.read = read_http_check;
  return {whole, tcp, http};
}

}  // namespace ringside::config
