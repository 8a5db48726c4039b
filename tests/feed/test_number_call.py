"""The call for a number from outside: https, verified, bounded, and no redirect is followed."""

import asyncio
import contextlib
import functools
import ssl

import pytest
import trustme

from basisdesk.feed import number_call as module
from basisdesk.feed.faults import Fault
from basisdesk.feed.names import Names
from basisdesk.feed.number_call import ask, host_of, url_problem

pytestmark = pytest.mark.loopback


def alone(test):
    """Runs a test in a loop of its own."""

    @functools.wraps(test)
    def run(*given, **named):
        asyncio.run(test(*given, **named))

    return run


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.asynccontextmanager
async def server(said: bytes | None, tls: ssl.SSLContext | None = None):
    """Answers every request on 127.0.0.1 so; None never does. Gives its port and what it heard."""
    heard: list[str] = []

    tasks = []

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if said is None:
                await reader.read()
            else:
                writer.write(said)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    found = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with found:
        yield found.sockets[0].getsockname()[1], heard
        await asyncio.sleep(0.01)  # whoever was just accepted has a task then
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(2_000):
            if not found._active_count:  # a handshake that failed has no task
                break
            await asyncio.sleep(0.005)


async def called(said, path="/v?key=secret"):
    async with server(said) as (port, heard):
        return await ask(f"http://127.0.0.1:{port}{path}"), heard


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://api.example.com/v1?a=b", ""),
        ("http://127.0.0.1:9/a", ""),
        ("http://api.example.com/a", "must begin with https://"),
        ("http://localhost/a", "must begin with https://"),
        ("http://127.0.0.1.evil.com/a", "must begin with https://"),
        ("file:///etc/passwd", "cannot be read"),
        ("ftp://example.com/a", "must begin with https://"),
        ("https://user:pw@example.com/a", "user name or a password"),
        ("https://example.com/a b", "cannot be read"),
        ("https://example.com/a\r\nX: y", "cannot be read"),
        ("https://example.com:port/a", "cannot be read"),
        ("https://example.com/" + "a" * 500, "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_which_addresses_are_asked(url, words):
    problem = url_problem(url)
    assert words in problem if words else problem == ""


def test_only_the_host_is_shown():
    assert host_of("https://api.example.com:8443/secret?key=abc") == "api.example.com"


@alone
async def test_an_address_that_may_not_be_asked_is_not():
    assert await ask("http://example.com/a") == Fault(
        "The address must begin with https://.", "odd"
    )


@alone
async def test_the_body_of_the_answer_comes():
    found, heard = await called(answer("200 OK", b'{"v":1}'))
    assert found == b'{"v":1}'
    assert heard[0].startswith("GET /v?key=secret HTTP/1.1\r\n")
    assert "Accept-Encoding: identity\r\n" in heard[0]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer("302 Found", b"", "Location: http://127.0.0.1:1/x"), "redirected (HTTP 302)"),
        (answer("301 Gone", b"", "Location: file:///etc/passwd"), "redirected (HTTP 301)"),
        (answer("404 Not Found"), "no such thing (HTTP 404)"),
        (answer("500 Oh"), "venue error (HTTP 500)"),
        (b"not http at all\r\n\r\n", "broken answer"),
    ],
)
@alone
async def test_what_is_no_answer_says_why(said, reason):
    found, heard = await called(said)
    assert reason in found.reason
    assert len(heard) == 1


@alone
async def test_a_pause_that_is_asked_for_is_told():
    found, _ = await called(answer("429 Slow", b"", "Retry-After: 120"))
    assert found.after_s == 120.0


@alone
async def test_an_answer_that_is_too_large_is_left(monkeypatch):
    monkeypatch.setattr(module, "ANSWER_BYTES_MAX", 1_000)
    found, _ = await called(answer("200 OK", b"1" * 1_001))
    assert "larger than" in found.reason
    found, _ = await called(answer("200 OK", b"1" * 1_000))
    assert found == b"1" * 1_000


@alone
async def test_who_never_answers_is_left(monkeypatch):
    monkeypatch.setattr(module, "CALL_S_MAX", 0.1)
    found, _ = await called(None)
    assert found.reason == "timed out"


@alone
async def test_a_port_that_nobody_listens_on():
    async with server(b"") as (port, _):
        pass
    assert (await ask(f"http://127.0.0.1:{port}/")).reason == "refused"


@pytest.mark.parametrize("trusted", [True, False])
@alone
async def test_the_certificate_is_verified(trusted):
    authority = trustme.CA()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.com").configure_cert(theirs)
    ours = ssl.create_default_context()
    if trusted:
        authority.configure_trust(ours)
    async with server(answer("200 OK", b"1"), theirs) as (port, _):
        names = Names(lambda *_: ["127.0.0.1"])
        found = await ask(f"https://api.example.com:{port}/", tls=ours, names=names)
        other = await ask(f"https://other.example.com:{port}/", tls=ours, names=names)
    if trusted:
        assert found == b"1"
    else:
        assert "TLS certificate" in found.reason
    assert "TLS certificate" in other.reason
