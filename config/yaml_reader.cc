#include "config/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "config/read_block.h"
#include "config/utf8.h"
#include "config/validate.h"

namespace ringside::config {

namespace {

const Entry* find(const Node& root, std::string_view key) {
  const auto found = std::ranges::find(root.entries, key, &Entry::key);
  return found == root.entries.end() ? nullptr : &*found;
}

void read_service(const Entry& entry, Report& report, Settings& out) {
  report.wrote("service", entry.place);
  out.service.emplace();
  BlockReader<Service>{service_keys(), "service", report, *out.service}.read(entry.value, "");
  for (const std::string_view needed : {"name", "address"}) {
    const std::string key = join_key("service", needed);
    if (!report.written(key) && report.sound(key)) {
      report.add(entry.place, key,
                 needed == "name" ? "is needed: the name that callers use"
                                  : "is needed: where the local app listens, e.g. 127.0.0.1:8080");
    }
  }
}

void read_defaults(const Entry& entry, Report& report, Upstream& out) {
  report.wrote("defaults", entry.place);
  BlockReader<Upstream>{upstream_keys(), "defaults", report, out}.read(entry.value, "");
  if (out.listen) {
    report.add(report.place_of("defaults.listen"), "defaults.listen",
               "a port belongs to one upstream: write it as upstreams.NAME.listen");
  }
  if (!out.endpoints.empty()) {
    report.add(report.place_of("defaults.endpoints"), "defaults.endpoints",
               "endpoints belong to one upstream: write them as upstreams.NAME.endpoints");
  }
  if (out.protocol == Protocol::kTcp) {
    report.add(report.place_of("defaults.protocol"), "defaults.protocol",
               "tcp goes with a port of one upstream: write it as upstreams.NAME.protocol, beside "
               "upstreams.NAME.listen");
    out.protocol = Protocol::kHttp;
  }
}

// Each upstream begins as a copy of the defaults; its own keys replace theirs one by one.
void read_upstreams(const Entry& block, Report& report, Settings& out) {
  report.wrote("upstreams", block.place);
  const std::string_view example[] = {"NAME: {balance: round_robin}"};
  if (!is_block(block.value, "upstreams", example, report)) {
    return;
  }
  for (const Entry& entry : block.value.entries) {
    std::string name = entry.key;
    const std::string wrong = check_label(name);
    if (!wrong.empty()) {
      report.add(entry.place, join_key("upstreams", quoted(entry.key)),
                 fmt::format("the name of an upstream is {}", wrong));
      continue;
    }
    const std::string key = join_key("upstreams", name);
    if (out.upstreams.contains(name)) {
      report.add(entry.place, key,
                 "is written twice: names of services are equal in upper and lower case");
      continue;
    }
    report.wrote(key, entry.place);
    Upstream& upstream = out.upstreams.emplace(name, out.defaults).first->second;
    BlockReader<Upstream>{upstream_keys(), key, report, upstream}.read(entry.value, "");
  }
}

void read_process(const Node& root, Report& report, Settings& out) {
  std::vector<std::string_view> names = names_in(settings_keys(), "");
  const std::vector<std::string_view> sections = names;
  names.insert(names.begin(), {"service", "defaults", "upstreams"});
  if (!is_block(root, "", names, report)) {
    return;
  }
  const BlockReader<Settings> reader{settings_keys(), "", report, out};
  for (const Entry& entry : root.entries) {
    if (std::ranges::find(sections, entry.key) != sections.end()) {
      reader.read_entry(entry, "", names);
    } else if (std::ranges::find(names, entry.key) == names.end()) {
      unknown_key(entry, "", names, report);
    }
  }
}

// What stands for keys that were not written, where that depends on others.
void derive(const Report& report, Settings& out) {
  Ring& ring = out.ring;
  ring.present = report.written("ring");
  if (!ring.present) {
    ring.listen.host = "127.0.0.1";
    if (out.proxy.inbound && !report.written("proxy.inbound")) {
      out.proxy.inbound->host = "127.0.0.1";
    }
  }
  for (const Voter& voter : ring.voters) {
    if (!ring.id && ring.advertise == voter.address) {
      ring.id = voter.id;
    } else if (!ring.advertise && ring.id == voter.id) {
      ring.advertise = voter.address;
    }
  }
}

ReadResult read_tree(Node& root, const EnvLookup& env, Report& report) {
  expand_tree(root, "", env, report);
  Settings out;
  read_process(root, report, out);
  if (const Entry* entry = find(root, "defaults")) {
    read_defaults(*entry, report, out.defaults);
  }
  if (const Entry* entry = find(root, "upstreams")) {
    read_upstreams(*entry, report, out);
  }
  if (const Entry* entry = find(root, "service")) {
    read_service(*entry, report, out);
  }
  derive(report, out);
  if (!report.full()) {
    validate(out, report);
  }
  if (report.clean()) {
    return out;
  }
  return std::unexpected(report.take());
}

}  // namespace

ReadResult read_settings(ByteView yaml, std::string_view file_name, const EnvLookup& env,
                         std::span<const Override> overrides) {
  Report report(file_name);
  std::deque<std::string> sources;
  std::optional<Node> root = parse_yaml(as_text(yaml), file_name, report);
  if (!root) {
    return std::unexpected(report.take());
  }
  if (root->kind == Node::Kind::kMap) {  // else the file's own problem is enough
    for (const Override& override : overrides) {
      apply_override(override, fmt::format("--set {}", override.key), *root, sources, report);
    }
  }
  return read_tree(*root, env, report);
}

ReadResult settings_from(const CommandLine& command_line, const EnvLookup& env) {
  Report report("command line", 0);
  std::deque<std::string> sources;
  Node root;
  root.kind = Node::Kind::kMap;
  root.place = Place{"command line", 0, 0};
  if (command_line.service) {
    const std::size_t equals = command_line.service->find('=');
    const bool both = equals != std::string::npos;
    apply_override({"service.name", command_line.service->substr(0, equals)}, "--service", root,
                   sources, report);
    if (both) {
      apply_override({"service.address", command_line.service->substr(equals + 1)}, "--service",
                     root, sources, report);
    } else {
      report.add(Place{sources.back(), 0, 0}, "service.address",
                 "expected NAME=HOST:PORT such as orders=127.0.0.1:8080");
    }
  }
  if (command_line.voters) {
    const std::string& source = sources.emplace_back("--voters");
    const Place place{source, 0, 0};
    Node list{Node::Kind::kList, place, "", false, {}, {}};
    for (std::string_view rest = *command_line.voters; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      list.items.push_back(
          Node{Node::Kind::kScalar, place, std::string(rest.substr(0, comma)), false, {}, {}});
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    Node ring{Node::Kind::kMap, place, "", false, {}, {}};
    ring.entries.push_back(Entry{"voters", place, std::move(list)});
    root.entries.push_back(Entry{"ring", place, std::move(ring)});
  }
  for (const Override& override : command_line.overrides) {
    apply_override(override, fmt::format("--set {}", override.key), root, sources, report);
  }
  return read_tree(root, env, report);
}

}  // namespace ringside::config
