"""server_aiohttp.py PORT FILE: aiohttp; it answers what server.js says."""
import asyncio
import hashlib
import sys
import time

from aiohttp import web

with open(sys.argv[2], "rb") as content:
    BYTES = content.read()


async def whole(_):
    return web.Response(body=BYTES)


async def chunked(request):
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for at in range(0, len(BYTES), 65537):
        await response.write(BYTES[at:at + 65537])
    await response.write_eof()
    return response


async def digest(request):
    found = hashlib.sha256()
    async for piece in request.content.iter_any():
        found.update(piece)
    return web.Response(text=found.hexdigest())


async def events(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in range(int(request.query["n"])):
        await asyncio.sleep(int(request.query["ms"]) / 1000)
        await response.write(f"id: {number}\ndata: {time.monotonic()}\n\n".encode())
    return response


async def healthy(_):
    return web.Response()


app = web.Application(client_max_size=1 << 40)
app.add_routes([web.get("/bytes", whole), web.get("/chunked", chunked), web.post("/hash", digest), web.get("/events", events),
                web.get("/healthz", healthy)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
