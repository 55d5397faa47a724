"""What the scripts send, kept for the parsers: every stream of a caller and every response of an app, to be cut at every
byte by http_split.

The files have the form of the fuzzer's inputs: the first byte says what is parsed (tests/fuzz/http/http_fuzz.cc), the rest
is it.
"""
import os
import re

REQUEST, RESPONSE, TO_HEAD, TO_CONNECT, TO_UPGRADE = 0, 4, 5, 6, 7
_MOST = 4096  # longer streams are bodies: nothing new for a parser
_HEAD = re.compile(rb"(?:^|\r\n\r\n)([A-Z-]+) \S+ HTTP/1\.1\r\n((?:[^\r\n]+\r\n)*)")


def kind_of(request):
    """What a response to these bytes answers: the last head in them counts."""
    heads = _HEAD.findall(request)
    if not heads:
        return RESPONSE
    method, fields = heads[-1]
    if method in (b"HEAD", b"CONNECT"):
        return TO_HEAD if method == b"HEAD" else TO_CONNECT
    return TO_UPGRADE if re.search(rb"(?i)^upgrade:", fields, re.MULTILINE) else RESPONSE


class Recorder:
    """Hears what each Wire sends and gets."""

    def __init__(self):
        self.found = set()

    def add(self, kind, data):
        if 0 < len(data) <= _MOST:
            self.found.add(bytes([kind]) + data)

    def caller(self, sent):
        self.add(REQUEST, sent)

    def app(self, turns):
        """Turns of (what was asked, what was answered)."""
        for asked, answered in turns:
            self.add(kind_of(asked), answered)

    def write(self, folder):
        for number, data in enumerate(sorted(self.found)):
            with open(os.path.join(folder, f"wire_{number:04}"), "wb") as out:
                out.write(data)
        return len(self.found)
