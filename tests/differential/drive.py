"""Sends the cases through the proxies: lanes side by side, one case at a time in a lane of each."""
import asyncio
import socket

from outcome import Seen
from proxies import service
from recording import Lane

LANES = 8
_LIMIT = 15.0


class _Caller(asyncio.Protocol):
    """Keeps what comes until the connection ends, however it does."""

    def __init__(self):
        self.got = b""
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.got += data

    def connection_lost(self, _):
        if not self.ended.done():
            self.ended.set_result(None)


async def _exchange(port, data):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # so that it leaves at once
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport, caller = await loop.create_connection(_Caller, sock=sock)
    try:
        transport.write(data)
        await asyncio.wait_for(caller.ended, _LIMIT)
        return caller.got
    finally:
        transport.abort()


async def _drive_lane(proxy, number, lane, cases, seen):
    for case in cases:
        lane.begin(case)
        try:
            got = await _exchange(proxy.port(number, case.named), case.stream(service(number).encode()))
        except asyncio.TimeoutError:
            raise RuntimeError(f"{proxy.name} holds case {case.number} ({' '.join(case.features)}) for {_LIMIT} s") from None
        await lane.settle()
        seen[case.number][proxy.name] = Seen(case, got, lane.connections)


async def drive(cases, make_proxies):
    """{case number: {proxy: Seen}}. make_proxies gives a proxy for each list of upstream ports it is handed."""
    seen = {case.number: {} for case in cases}
    names = list(make_proxies)
    lanes = {name: [Lane() for _ in range(LANES)] for name in names}
    for name in names:
        for lane in lanes[name]:
            await lane.listen()
    loop = asyncio.get_running_loop()
    started = []
    try:
        for name in names:
            proxy = make_proxies[name]([lane.port for lane in lanes[name]])
            started.append(proxy)
            proxy.start()
        tasks = [loop.create_task(_drive_lane(proxy, number, lanes[proxy.name][number],
                                              [case for case in cases if case.lane == number], seen))
                 for proxy in started for number in range(LANES)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    finally:
        for proxy in started:
            proxy.__exit__()
        for lane in (lane for of_proxy in lanes.values() for lane in of_proxy):
            lane.server.close()
    return seen
