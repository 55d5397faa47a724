"""REVIEWED.md: the differences that somebody has looked at, by class.

A row of its tables is a class: what Ringside does, what HAProxy and nginx do otherwise (words of outcome.differences; `-`: nothing
that this row explains), for which features of the message, and why. Cells hold patterns, one of which must match. Each pattern of
the first four cells must be needed by some case of the usual run.
"""
import fnmatch
import re

PEERS = ("haproxy", "nginx")


class Row:
    def __init__(self, line, cells):
        self.line = line
        self.ringside, haproxy, nginx, self.when = (cell.replace("`", "").split() for cell in cells[:4])
        self.peers = {"haproxy": haproxy, "nginx": nginx}
        self.why = cells[4]
        self.used = set()

    def explains(self, ringside, peer, word, features):
        mine = _first_match(self.ringside, [ringside])
        theirs = _first_match(self.peers[peer], [word])
        when = _first_match(self.when, features)
        if mine is None or theirs is None or when is None:
            return False
        self.used |= {("ringside", mine), (peer, theirs), ("when", when)}
        return True

    def unused(self):
        cells = [("ringside", self.ringside), *self.peers.items(), ("when", self.when)]
        return [f"REVIEWED.md:{self.line}: `{pattern}` ({column}) never occurs" for column, patterns in cells
                for pattern in patterns if pattern != "-" and (column, pattern) not in self.used]


def _first_match(patterns, words):
    for pattern in patterns:
        if pattern != "-" and any(fnmatch.fnmatchcase(word, pattern) for word in words):
            return pattern
    return None


def read(path):
    rows, problems = [], []
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            if not line.startswith("|") or set(line) <= set("|-: \n") or cells[0] == "Ringside":
                continue
            if len(cells) != 5 or not all(cells):
                problems.append(f"REVIEWED.md:{number}: five cells, none empty")
            else:
                rows.append(Row(number, cells))
    return rows, problems


def explained(rows, ringside, peer, word, features):
    """True if some row does; the first that does is marked as needed."""
    return any(row.explains(ringside, peer, word, features) for row in rows)
