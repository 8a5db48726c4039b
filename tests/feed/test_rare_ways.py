"""Ways through the feeds that a day at a venue does not meet."""

import asyncio
import ssl
import threading

import certifi
import pytest
from websockets.exceptions import InvalidHandshake

from basisdesk.events import BEAT, Frame
from basisdesk.feed import number_call, supervisor, webhook
from basisdesk.feed.faults import fault_of
from basisdesk.feed.inbox import OWN_FRAMES, Inbox
from basisdesk.feed.names import Names


class Store:
    """A trust store that is empty until something is loaded into it."""

    def __init__(self):
        self.loaded = []

    def cert_store_stats(self):
        return {"x509_ca": len(self.loaded)}

    def load_verify_locations(self, path):
        self.loaded.append(path)


@pytest.mark.parametrize(
    "trust",
    [
        lambda: supervisor._trust(["wss://a.example"]),
        webhook._trust.__wrapped__ if hasattr(webhook._trust, "__wrapped__") else webhook._trust,
        number_call._trust.__wrapped__,
    ],
    ids=["feeds", "webhook", "number"],
)
def test_a_system_without_a_trust_store_gets_the_one_that_is_shipped(monkeypatch, trust):
    monkeypatch.setattr(ssl, "create_default_context", Store)
    assert trust().loaded == [certifi.where()]


def test_beats_of_hours_in_which_the_engine_stood_still_are_bounded():
    inbox = Inbox()
    assert all(inbox.put(Frame(BEAT, b"", n)) for n in range(OWN_FRAMES))
    assert not inbox.put(Frame(BEAT, b"", OWN_FRAMES))
    assert (inbox.dropped[BEAT], len(inbox)) == (1, OWN_FRAMES)


@pytest.mark.parametrize("host", ["x" * 64 + ".example", "\ud800.example"])
def test_a_name_that_is_none_is_a_failed_lookup(host):
    with pytest.raises(OSError, match="not a host name"):
        asyncio.run(Names().addresses(host, 443))


def test_an_answer_for_a_loop_that_is_gone_is_dropped():
    free = threading.Event()

    async def leave():
        task = asyncio.ensure_future(Names(lambda *_: free.wait(5) and []).addresses("a.b", 1))
        await asyncio.sleep(0)
        task.cancel()

    before = set(threading.enumerate())
    asyncio.run(leave())
    (left,) = set(threading.enumerate()) - before
    free.set()
    left.join(5)
    assert not left.is_alive()  # and it raised nothing: pytest would say so


def test_a_socket_that_closes_before_the_handshake_is_said_so():
    exc = InvalidHandshake("did not receive a valid HTTP response")
    exc.__cause__ = EOFError()
    assert fault_of(exc).reason == "closed before the handshake"
