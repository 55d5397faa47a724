"""Which failures of a drill are allowed: none of a GET; of a POST those that nothing in between can make good.

A POST may fail when the one who had it was killed, or its app closed the connection without an answer; then nobody can know
whether it was done, and to send it again could do it twice. What happened to instances is told as Incidents.
"""
import dataclasses
import re

from .drill_app import posts_seen_twice

_ATTEMPT = re.compile(r"^attempt: (\S+) (\S+)", re.MULTILINE)
_ALLOWED = "502 reset"


@dataclasses.dataclass
class Incident:
    """Something that costs POSTs: of the instances at these addresses, from one moment to another (monotonic seconds)."""
    what: str
    addresses: set        # host:port of the app, of the inbound port, and the instance's name
    began: float
    ended: float
    most: int = 1 << 30   # POSTs that may fail by it
    cuts_answers: bool = False  # its sidecar was killed too, with answers of the app in hand
    used: int = 0

    def excuses(self, failure):
        """Sent to it alone, before it was over, and lost there with its connection."""
        tried = {endpoint for endpoint, outcome in _ATTEMPT.findall(failure["body"]) if outcome == "reset"}
        return (failure["method"] == "POST" and failure["what"] == _ALLOWED and bool(tried) and tried <= self.addresses
                and failure["sent"] <= self.ended and failure["end"] >= self.began)


def addresses(app, sidecar):
    return {f"127.0.0.1:{app.port}", f"127.0.0.1:{sidecar.inbound}", app.name}


def judge(counts, apps, incidents=()):
    """What is wrong, a sentence each; nothing: all is well."""
    problems = []
    excused = 0
    answered = [app.answered() for app in apps] if counts.failures else []
    for failure in counts.failures:
        incident = next((one for one in incidents if one.excuses(failure)), None)
        if incident is None:
            problems.append(f"failed: {failure}")
        elif not incident.cuts_answers and any(half[failure["id"]] for half in answered):
            problems.append(f"failed though an app answered it: {failure}")
        else:
            incident.used += 1
            excused += 1
    total = counts.failed("GET") + counts.failed("POST")
    if total > len(counts.failures):
        problems.append(f"{total} failed, more than are told one by one")
    problems += [f"{one.what}: {one.used} POSTs failed, at most {one.most} can have been there" for one in incidents
                 if one.used > one.most]
    problems += [f"POST {number} reached an app more than once" for number in posts_seen_twice(apps)]
    return problems
