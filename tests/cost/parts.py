"""Where the instructions of an exchange go: by part of the code, and by function.

Each function counts with what is inlined into it and what it calls of the C and C++ libraries. The part goes by the function's file.
"""
import re

_PARTS = [  # the first that is found in a file's path
    ("the head of a message, parsed (llhttp)", "/llhttp/"),
    ("the head of a message, checked before that", r"sidecar/http/(validator|start_line|chars|head_reader)\."),
    ("framing, fields by name, bodies", r"sidecar/http/(framing|head|parser|llhttp_parser|body_reader|keep_alive|upgrade)\."),
    ("a head written for the other side", r"sidecar/http/(writer|reason)\."),
    ("the service named", r"sidecar/http/route\.|balancer/routing_table\."),
    ("a host picked, its result reported", r"balancer/"),
    ("connections to hosts, idle and in use", r"sidecar/proxy/(pool|idle_limit|upstream_connection|strangers|permit_wait)\."),
    ("access records", r"sidecar/proxy/access\."),
    ("one write of what was gathered", r"sidecar/proxy/gather\."),
    ("metrics", r"sidecar/metrics/"),
    ("exchange and caller's connection, deadlines", r"sidecar/(proxy|logging)/"),
    ("sockets and loop: libuv, sidecar/net", r"libuv|sidecar/net/"),
]
REST = "the rest"


def part_of(function):
    for part, pattern in _PARTS:
        if re.search(pattern, function.file) or re.search(pattern, function.library):
            return part
    return REST


def by_part(profile):
    """[(part, instructions)], most first; what is in no function known to us is the rest."""
    parts = dict.fromkeys([part for part, _ in _PARTS] + [REST], 0)
    for function, instructions in profile.own.items():
        parts[part_of(function)] += instructions
    parts[REST] += profile.instructions - sum(parts.values())
    return sorted(parts.items(), key=lambda one: -one[1])


def plain_name(function):
    """Without parameters and the names of namespaces that all have."""
    name = function.name.replace("(anonymous namespace)::", "").replace("ringside::", "")
    return re.sub(r"\(.*", "", name) or function.name


def show(count, functions=30):
    exchanges, profile = count.case.count, count.profile
    print(f"{count.case.what}: {count.instructions:,.0f} instructions per exchange")
    for part, instructions in by_part(profile):
        print(f"  {instructions / exchanges:8,.0f} {instructions / profile.instructions:6.1%}  {part}")
    print("  the same by function")
    for function, instructions in profile.own.most_common(functions):
        print(f"  {instructions / exchanges:8,.0f} {instructions / profile.instructions:6.1%}  {plain_name(function)}")
    print(f"  {profile.system_calls / exchanges:.2f} system calls, the clock read {profile.clock_reads / exchanges:.2f} times")
