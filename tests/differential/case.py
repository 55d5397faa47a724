"""One message of the differential run: what the caller sends, what the upstream answers, and what is known of both."""


class Case:
    """`features` say what is special about the message; differences are explained by them. `body` is what must arrive, None where
    nobody can say."""

    def __init__(self, kind, number, lane, features, *, sent, method=b"GET", body=None, answer=None, answer_closes=False, named=True,
                 legal=False):
        self.kind, self.number, self.lane = kind, number, lane  # kind: request or response
        self.features = tuple(features)
        self.sent, self.method, self.body = sent, method, body
        self.answer_closes = answer_closes
        self.named = named    # through the port that goes by names; else by the lane's own
        self.legal = legal    # by the grammar that made it
        self._answer = answer
        self.own_answer = f"case-{number}".encode()
        self.after_target = f"/after-{number}".encode()
        text = f"after-{number}".encode()
        self.after_body = text
        self.after_answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)

    def stream(self, host):
        """All that the caller sends: the message, and a request behind it that shows where each proxy saw it end. There is none where
        the upstream closes: whether a proxy sees that in time is chance."""
        if self.answer_closes:
            return self.sent
        return self.sent + b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (self.after_target, host)

    def is_after(self, request):
        return request.method == b"GET" and request.target == self.after_target

    def answer_to(self, request):
        if self._answer is not None:
            return self._answer
        text = b"" if request.method == b"HEAD" else self.own_answer
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Case: %d\r\n\r\n%s" % (len(self.own_answer), self.number, text)
