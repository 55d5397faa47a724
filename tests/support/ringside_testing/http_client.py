"""Single HTTP requests for tests: a fresh connection each, no proxy taken from the environment."""
import http.client
import json


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # lower-case names; the last of equal names counts
        self.body = body

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode("utf-8", "replace")

    def __repr__(self):
        return f"Answer({self.status}, {self.headers}, {self.body[:300]!r})"


def request(port, method="GET", path="/", headers=None, body=None, timeout=10.0, host="127.0.0.1"):
    """One request; OSError or http.client.HTTPException when no whole answer came."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        data = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, data)
    finally:
        connection.close()


def call(outbound_port, service, path="/", method="GET", headers=None, body=None, timeout=10.0):
    """A request to a service through a sidecar, named by Host."""
    return request(outbound_port, method, path, {**(headers or {}), "Host": service}, body, timeout)
