"""What a proxy made of one message, reduced to what can be compared, and what must hold of Ringside whatever the others do."""
import re

import reading

# Each proxy's own business with the next hop, and what it adds of its own.
_NOT_COMPARED = {b"host", b"connection", b"keep-alive", b"content-length", b"transfer-encoding", b"x-forwarded-for", b"x-request-id", b"date", b"server"}

# What proxies answer themselves: no upstream of a run does.
_OWN_STATUSES = {400, 403, 408, 413, 414, 431, 502, 503, 504}


class Seen:
    """The raw facts of one case at one proxy: the bytes that the caller got, the connections of the upstream."""

    def __init__(self, case, got, connections):
        self.case, self.got = case, got
        self.requests = [request for connection in connections for request in connection.requests]
        self.partial = [part for part in (connection.partial() for connection in connections) if part is not None]
        self.garbage = [connection.garbage for connection in connections if connection.garbage]
        self.own = [request for request in self.requests if not case.is_after(request)]
        self.after = [request for request in self.requests if case.is_after(request)]
        try:
            self.answers, self.rest = reading.read_responses(got, [case.method, b"GET"])
            self.unreadable = None
        except (reading.Garbage, ValueError) as why:
            self.answers, self.rest, self.unreadable = [], got, str(why)

    @property
    def final(self):
        """The response to the message; None if there was none."""
        return self.answers[0][-1] if self.answers and not 100 <= self.answers[0][-1].status < 200 else None


def _fields(fields):
    """Comparable: lower-case names, order of equal names kept."""
    return sorted(((name.lower(), value) for name, value in fields if name.lower() not in _NOT_COMPARED), key=lambda field: field[0])


def _host(request):
    host = request.values(b"host")
    if not host:
        return b""
    return host[0].lower().split(b":")[0].removesuffix(b".").removesuffix(b".ringside")


class Outcome:
    """word: passes, refuses, cuts. The rest counts where it passes."""

    def __init__(self, seen):
        self.case = case = seen.case
        self.word, self.status, self.reason = "refuses", None, ""
        self.parts = {}
        self.fields = []
        final = seen.final
        if final is not None:
            self.status = final.status
        if case.kind == "request":
            self._of_request(seen, final)
        else:
            self._of_response(seen, final)
        if self.word == "refuses":
            self.reason = _reason(final)

    def _of_request(self, seen, final):
        if not seen.own:
            return
        request = seen.own[0]
        self.word = "passes"
        self.fields = _fields(request.fields)
        self.parts = {"method": request.method, "target": request.target, "host": _host(request), "body": request.body, "framing": request.framing,
                      "trailers": _fields(request.trailers), "answer": final is not None and (final.status, final.body),
                      "interim": [one.status for one in seen.answers[0][:-1]] if seen.answers else [],
                      "after": bool(seen.after), "copies": len(seen.own)}

    def _of_response(self, seen, final):
        if final is None or final.status in _OWN_STATUSES:
            return
        self.word = "passes" if final.complete else "cuts"
        self.fields = _fields(final.fields)
        self.parts = {"status": final.status, "phrase": final.first.split(b" ", 2)[2:] or [b""], "body": final.body,
                      "trailers": _fields(final.trailers), "interim": [(one.status, _fields(one.fields)) for one in seen.answers[0][:-1]],
                      "after": len(seen.answers) > 1 and seen.answers[1][-1].body == self.case.after_body}
        if self.case.answer_closes:
            del self.parts["after"]

    def text(self):
        return self.word if self.word != "refuses" else f"{self.status or 'closes'}{':' if self.reason else ''}{self.reason}"


def _reason(final):
    """The word of Ringside's own answer: the rule that was broken, else the cause."""
    if final is None:
        return ""
    match = re.match(rb"ringside: ([a-z_]+)(?:: ([a-z0-9_]+)\n)?", final.body)
    return (match.group(2) or match.group(1)).decode() if match else ""


def differences(ours, peer):
    """What a peer does otherwise, as words; none where both refuse."""
    if ours.word != peer.word:
        return {peer.word}
    if ours.word == "refuses":
        return set()
    found = {name for name in ours.parts if ours.parts[name] != peer.parts[name]}
    if ours.word == "cuts":
        found -= {"body"}  # how much of it came is a matter of time
    return found | _field_differences(ours.fields, peer.fields)


def _field_differences(ours, peers):
    names = {name for name, _ in ours} | {name for name, _ in peers}
    found = set()
    for name in names:
        mine, theirs = [v for n, v in ours if n == name], [v for n, v in peers if n == name]
        if mine != theirs:
            mark = "-" if not theirs else "+" if not mine else "~"
            found.add(mark + name.decode("latin-1"))
    return found


def violations(seen, outcome):
    """What Ringside must never do."""
    case, found = seen.case, []
    if seen.garbage:
        found.append(f"sent upstream what is no request: {seen.garbage}")
    if len(seen.own) > 1:
        found.append(f"made {len(seen.own)} requests of one: {[request.first for request in seen.own]}")
    if len(seen.after) > 1:
        found.append("made two requests of the one behind")
    if seen.unreadable:
        found.append(f"sent the caller what is no response: {seen.unreadable}")
    if seen.rest:
        found.append(f"sent the caller more than its answers: {seen.rest[:80]!r}")
    if case.kind == "request":
        found += _request_violations(seen, outcome)
    else:
        found += _response_violations(seen, outcome)
    return found


def _request_violations(seen, outcome):
    case, found = seen.case, []
    if outcome.word == "passes":
        if case.body is not None and outcome.parts["body"] != case.body:
            found.append(f"changed the body: {outcome.parts['body'][:60]!r} for {case.body[:60]!r}")
        if outcome.parts["answer"] != (200, b"" if case.method == b"HEAD" else case.own_answer):
            found.append(f"lost the answer: {outcome.parts['answer']}")
    elif case.legal:
        found.append(f"refused a legal message: {outcome.text()}")
    elif seen.partial and not _broken_in_body(outcome):
        found.append(f"refused what it had begun to send: {outcome.text()}")
    if outcome.word == "refuses" and outcome.reason not in _LEGAL_BUT_NOWHERE and seen.after:
        found.append("served what stands behind a refused message")
    if len(seen.answers) > 1 and seen.after and seen.answers[1][-1].body != case.after_body:
        found.append("gave the request behind another answer")
    if seen.after and b"close" in [value.lower() for value in _sent_connection(case)]:
        found.append("served a request behind `Connection: close`")
    return found


# The message is legal and only names nothing that Ringside knows: the connection goes on.
_LEGAL_BUT_NOWHERE = ("bad_request", "no_endpoints")


def _sent_connection(case):
    head = case.sent.split(b"\r\n\r\n", 1)[0]
    return [line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"connection:")] if case.legal else []


# A body is passed on as it comes: what turns bad in it turns bad when its head has been sent, and the request is never completed.
def _broken_in_body(outcome):
    return outcome.reason in ("bad_chunk", "chunk_line_too_long", "trailer_too_large", "timeout", "bare_lf", "bare_cr", "nul", "folded", "no_colon", "bad_value",
                              "empty_name", "bad_name", "space_before_colon", "")


def _response_violations(seen, outcome):
    case, found = seen.case, []
    if len(seen.own) != 1:
        found.append(f"sent {len(seen.own)} requests for one")
    if outcome.word == "passes" and case.body is not None and outcome.parts["body"] != case.body:
        found.append(f"changed the body: {outcome.parts['body'][:60]!r} for {case.body[:60]!r}")
    if case.legal and outcome.word != "passes":
        found.append(f"refused a legal response: {outcome.text()}")
    if len(seen.answers) > 1 and (seen.answers[1][-1].status != 200 or seen.answers[1][-1].body != case.after_body):
        found.append(f"gave the next request another answer: {seen.answers[1][-1].first!r}")
    return found
