"""Fault 3: what is not encrypted by a trusted, valid, matching certificate is not talked to."""

import asyncio
import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import pytest
import trustme
from feed_rig import PAYLOAD, TOP, play, rig
from loopback import loopback

pytestmark = pytest.mark.loopback
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def trusting(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def served(authority, case):
    """A server's side of the handshake, spoilt as the case says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = dt.datetime.now(dt.UTC)
    more = {}
    if case == "expired":
        day = dt.timedelta(days=1)
        more = {"not_before": now - 2 * day, "not_after": now - day}
    by = trustme.CA() if case == "self-signed" else authority
    name = "other.invalid" if case == "wrong host" else HOST
    by.issue_cert(name, **more).configure_cert(context)
    return context


@contextmanager
def old_server(authority):
    """A server that speaks TLS 1.1 at most; yields its port and a list of those who called.

    In a thread: asyncio's own servers cut the connection before their alert is out.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    callers = []

    def serve(listening):
        with suppress(OSError):  # shut down
            while True:
                peer, _ = listening.accept()
                callers.append(peer)
                with peer, suppress(OSError):
                    context.wrap_socket(peer, server_side=True)

    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1], callers
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("self-signed", "blocked, TLS certificate: unable to get local issuer"),
        ("expired", "blocked, TLS certificate: certificate has expired"),
        ("wrong host", "blocked, TLS certificate: IP address mismatch"),
    ],
)
def test_fault_3_a_bad_certificate_blocks_and_is_not_tried_again_soon(authority, case, words):
    async def scenario():
        async with loopback(served(authority, case)) as secure:
            endpoints = {"tiny.spot": secure.ws_url("spot")}
            async with rig(endpoints=endpoints, tls=trusting(authority)) as r:
                await r.until(lambda: r.said("tiny.spot", "down"))
                assert r.said("tiny.spot", "down")[0].startswith(words)
                await asyncio.sleep(0.7)  # a usual backoff would have tried ten times by now
                facts = r.supervisor.facts()["tiny.spot"]
                assert facts.connects == 1
                assert facts.next_try_s > 10  # 5 min in the rig's pace are 15 s
                assert not secure.connects

    play(scenario)


@pytest.mark.slow
def test_fault_3_a_protocol_that_is_too_old_blocks_and_is_not_tried_again_soon(authority):
    async def scenario():
        with old_server(authority) as (port, callers):
            endpoints = {"tiny.spot": f"wss://{HOST}:{port}/spot"}
            async with rig(endpoints=endpoints, tls=trusting(authority)) as r:
                await r.until(lambda: r.said("tiny.spot", "down"))
                assert r.said("tiny.spot", "down")[0].startswith("blocked, TLS: TLSV1_ALERT")
                await asyncio.sleep(0.7)
                assert len(callers) == r.supervisor.facts()["tiny.spot"].connects == 1

    play(scenario)


def test_fault_3_http_with_a_bad_certificate_is_blocked_too(authority):
    async def scenario():
        async with loopback(served(authority, "self-signed")) as secure:
            hosts = {"tiny": secure.http_url}
            async with rig(rest_urls=hosts, tls=trusting(authority)) as r:
                await r.until(lambda: r.said("tiny.rest", "down"))
                assert "blocked, TLS certificate" in r.said("tiny.rest", "down")[0]
                await r.until(lambda: r.state() == "live")
                assert r.supervisor.facts()["tiny.rest"].connects == 1
                assert not secure.requests

    play(scenario)


def test_a_good_certificate_works_for_socket_and_http(authority):
    async def scenario():
        async with loopback(served(authority, "good")) as secure:
            secure.snapshots = {TOP: [PAYLOAD]}
            secure.http = dict.fromkeys(("/rules", "/candles", "/time"), b"{}")
            endpoints, hosts = {"tiny.spot": secure.ws_url("spot")}, {"tiny": secure.http_url}
            tls = trusting(authority)
            async with rig(endpoints=endpoints, rest_urls=hosts, tls=tls) as r:
                assert await r.until(lambda: r.state() == "live")
                assert await r.until(lambda: "/time" in secure.requests)

    play(scenario)
