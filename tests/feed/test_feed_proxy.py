"""A proxied connection is asked for through the proxy, and what is on this machine is not."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from feed_rig import PAYLOAD, TOP, play, rig
from loopback import loopback

from basisdesk.feed.faults import fault_of
from basisdesk.feed.names import Names
from basisdesk.feed.proxy import through

pytestmark = pytest.mark.loopback
VENUE = "tiny.invalid"


class Tunnel:
    """A proxy on this machine that leads every CONNECT to one port. heads: what it was asked."""

    def __init__(self, port, answer):
        self.heads = []
        self.to, self.answer, self.port = port, answer, 0
        self.tasks = set()

    async def serve(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {self.answer}\r\n\r\n".encode())
        if not self.answer.startswith("200"):
            writer.close()
            return
        there, out = await asyncio.open_connection("127.0.0.1", self.to)
        try:
            await asyncio.gather(pipe(reader, out), pipe(there, writer))
        finally:
            out.transport.abort()
            writer.transport.abort()


async def pipe(source, sink):
    while data := await source.read(65_536):
        sink.write(data)
    sink.transport.abort()


@asynccontextmanager
async def tunnel(port, answer="200 there"):
    made = Tunnel(port, answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)


def certified():
    authority, served = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(VENUE).configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return served, trusting


def resolving(looked_up):
    """Only the proxy has a name here; the venue's is for the proxy to find."""

    def resolve(host, port):
        looked_up.append(host)
        return ["127.0.0.1"] if host == "way.out" else []

    return Names(resolve)


def test_socket_and_http_of_a_venue_go_through_the_proxy_with_its_name_and_password():
    async def scenario():
        served, trusting = certified()
        looked_up = []
        async with loopback(served) as venue, tunnel(venue.port) as way:
            venue.snapshots = {TOP: [PAYLOAD]}
            venue.http = dict.fromkeys(("/rules", "/candles", "/time"), b"{}")
            async with rig(
                endpoints={"tiny.spot": f"wss://{VENUE}/spot"},
                rest_urls={"tiny": f"https://{VENUE}"},
                tls=trusting,
                proxy=f"http://me:s%40crt@way.out:{way.port}",
                names=resolving(looked_up),
            ) as r:
                assert await r.until(lambda: r.state() == "live")
                assert await r.until(lambda: "/time" in venue.requests)
                assert len(way.heads) >= 2
                for head in way.heads:
                    assert head.startswith(f"CONNECT {VENUE}:443 HTTP/1.1\r\n")
                    assert "Basic bWU6c0BjcnQ=" in head  # me:s@crt
                assert set(looked_up) == {"way.out"}
                shown = repr(r.supervisor.facts())
                assert "s%40crt" not in shown
                assert "s@crt" not in shown

    play(scenario)


def test_a_proxy_that_refuses_is_said_and_a_redirect_is_not_followed():
    async def scenario():
        served, trusting = certified()
        async with (
            tunnel(0, "407 Who are you") as way,
            rig(
                endpoints={"tiny.spot": f"wss://{VENUE}/spot"},
                rest_urls={"tiny": f"https://{VENUE}"},
                tls=trusting,
                proxy=f"http://way.out:{way.port}",
                names=resolving([]),
            ) as r,
        ):
            await r.until(lambda: r.said("tiny.spot", "down") and r.said("tiny.rest", "down"))
            assert r.said("tiny.spot", "down")[0].startswith("proxy refused (HTTP 407)")
            assert r.said("tiny.rest", "down")[0].startswith("proxy refused (HTTP 407)")
        async with loopback(served) as venue, tunnel(venue.port) as way:
            venue.faults.status = 302
            venue.faults.headers = {"Location": "wss://elsewhere.invalid/x"}
            async with rig(
                endpoints={"tiny.spot": f"wss://{VENUE}/spot"},
                tls=trusting,
                proxy=f"http://way.out:{way.port}",
                names=resolving([]),
            ) as r:
                await r.until(lambda: r.said("tiny.spot", "down"))
                assert r.said("tiny.spot", "down")[0].startswith("redirected (HTTP 302)")
                assert "through the proxy" in r.said("tiny.spot", "down")[0]
                assert not [head for head in way.heads if "elsewhere" in head]

    play(scenario)


def test_this_machine_is_never_asked_for_through_a_proxy():
    assert through("http://p:1", "wss://stream.example/x") == "http://p:1"
    assert through("http://p:1", "ws://127.0.0.1:9/x") == ""
    assert through("http://p:1", "http://localhost:9") == ""
    assert through("http://p:1", "http://[::1]:9") == ""
    assert through("", "wss://stream.example/x") == ""


def test_an_address_that_the_library_refuses_tells_no_password():
    from websockets.exceptions import InvalidProxy

    assert "secret" not in fault_of(InvalidProxy("http://me:secret@h", "no")).reason
