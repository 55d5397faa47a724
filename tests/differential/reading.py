"""A plain reader of HTTP/1.1 streams: what stands in the bytes that an upstream or a caller got.

Strict where a message begins and ends, and without opinion on the rest, since it also reads what other proxies pass on.
"""


class Garbage(Exception):
    """Bytes that are no message."""


class Message:
    def __init__(self, first):
        self.first = first        # request or status line, without its end
        self.fields = []          # (name, value) as they came
        self.framing = "none"     # none, length, chunked, close
        self.body = b""
        self.trailers = []
        self.complete = False
        self.size = 0             # bytes of the stream that it took, once complete

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name]

    @property
    def status(self):
        return int(self.first.split(b" ")[1])

    @property
    def method(self):
        return self.first.split(b" ", 1)[0]

    @property
    def target(self):
        return self.first.split(b" ", 1)[1].rsplit(b" ", 1)[0]


def _fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name:
            raise Garbage(f"a field without a name or colon: {line[:60]!r}")
        fields.append((name, value.strip(b" \t")))
    return fields


def _head(data, is_first_line):
    """(message, bytes taken), or None if the head is not complete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if data and not is_first_line(data.split(b"\r\n", 1)[0], b"\r\n" in data):
            raise Garbage(f"no first line: {data[:60]!r}")
        return None
    lines = data[:end].split(b"\r\n")
    if not is_first_line(lines[0], True):
        raise Garbage(f"no first line: {lines[0][:60]!r}")
    message = Message(lines[0])
    message.fields = _fields(lines[1:])
    return message, end + 4


def _declared(message):
    """("length", n), ("chunked", 0) or None."""
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if codings:
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise Garbage(f"codings {codings!r}")
        if lengths:
            raise Garbage("both lengths")
        return "chunked", 0
    if lengths:
        if len(lengths) > 1 or not lengths[0].isdigit():
            raise Garbage(f"lengths {lengths!r}")
        return "length", int(lengths[0])
    return None


def _read_chunks(message, data, at):
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return
        size_text = data[at:end].split(b";", 1)[0]
        if not size_text or set(size_text) - set(b"0123456789abcdefABCDEF"):
            raise Garbage(f"chunk size {size_text[:30]!r}")
        size, at = int(size_text, 16), end + 2
        if size == 0:
            break
        message.body += data[at:at + size]
        if len(data) < at + size + 2:
            return
        if data[at + size:at + size + 2] != b"\r\n":
            raise Garbage("no line end behind a chunk")
        at += size + 2
    if data[at:at + 2] == b"\r\n":
        message.size = at + 2
    else:
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            return
        message.trailers = _fields(data[at:end].split(b"\r\n"))
        message.size = end + 4
    message.complete = True


def _read_body(message, data, at, framing, length):
    message.framing = framing
    if framing == "chunked":
        _read_chunks(message, data, at)
    else:
        message.body = data[at:at + length]
        message.complete = len(message.body) == length
        message.size = at + length


def _is_request_line(line, whole):
    return line.count(b" ") >= 2 and line.rsplit(b" ", 1)[1] in (b"HTTP/1.0", b"HTTP/1.1") if whole else line[:1].isalpha()


def read_request(data):
    """The first request in the bytes; None if not even its head is complete."""
    found = _head(data, _is_request_line)
    if found is None:
        return None
    message, at = found
    framing, length = _declared(message) or ("none", 0)
    _read_body(message, data, at, framing, length)
    return message


def _is_status_line(line, whole):
    return line.startswith((b"HTTP/1.0 ", b"HTTP/1.1 ")) and line[9:12].isdigit() if whole else b"HTTP/1.".startswith(line[:7])


def _body_all_the_same(message, rest):
    """A proxy that could not read the request did not know that it was HEAD."""
    return message.status in (400, 431) and rest and not rest.startswith(b"HTTP/")


def read_responses(data, methods):
    """All responses in what a caller got until its end: ([[interim…, final], …], rest of the bytes that is none)."""
    answers, interim = [], []
    methods = list(methods)
    while data and methods:
        found = _head(data, _is_status_line)
        if found is None:
            break
        message, at = found
        if message.status // 100 == 1 and message.status != 101:
            interim.append(message)
            data = data[at:]
            continue
        declared = _declared(message)
        if (methods[0] == b"HEAD" and not _body_all_the_same(message, data[at:])) or message.status in (101, 204, 304):
            _read_body(message, data, at, "none", 0)
        elif declared:
            _read_body(message, data, at, *declared)
        else:
            message.framing, message.body, message.complete, message.size = "close", data[at:], True, len(data)
        answers.append([*interim, message])
        interim = []
        methods.pop(0)
        if not message.complete:
            return answers, b""
        data = data[message.size:]
    if interim:
        answers.append(interim)
    return answers, data
