"""The webhook: https to allowed hosts only; few, small, verified; nothing it meets can hurt."""

import asyncio
import contextlib
import json
import ssl

import pytest
import trustme

from basisdesk.feed import webhook as module
from basisdesk.feed.names import Names
from basisdesk.feed.webhook import (
    BODY_BYTES_MAX,
    CALLS_A_MINUTE,
    QUEUE_MAX,
    TRIES_MAX,
    Webhook,
    address_problem,
    host_of,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BODY = b'{"source":"basisdesk"}'


class Server:
    """Answers each POST on 127.0.0.1 with the next of `answers`, and notes what it was sent."""

    def __init__(self, *answers: bytes, hold=False, tls: ssl.SSLContext | None = None):
        self.answers, self.hold, self.tls = list(answers) or [OK], hold, tls
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.port = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await reader.readexactly(int(headers["content-length"]))
            self.heard.append((first, headers, body))
            if self.hold:
                await reader.read()  # until the other side gives up
            else:
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
        writer.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook/secret?x=1"


class Run:
    """A webhook at work; `until` waits for something while the watchdog ticks."""

    def __init__(self, url, **more):
        self.hook = Webhook(url, loopback=True, **more)
        self.said = []
        self.hook.on_said = self.said.append
        self.skip_s = 0.0

    async def __aenter__(self):
        self._task = asyncio.create_task(self.hook.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, true):
        async with asyncio.timeout(20):
            while not true():
                assert not self._task.done(), self._task
                self.hook.tick(module.mono_s() + self.skip_s)
                await asyncio.sleep(0.005)


def answer(status: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", (0.01, 0.01))


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "hosts", "words"),
    [
        ("https://hooks.example.com/a/b?c=d", (), ""),
        ("https://hooks.example.com:8443/a", ("hooks.example.com",), ""),
        ("https://HOOKS.example.com/a", ("Hooks.Example.com ",), ""),
        ("http://hooks.example.com/a", (), "must begin with https://"),
        ("http://127.0.0.1:9/a", (), "must begin with https://"),
        ("ftp://hooks.example.com/a", (), "must begin with https://"),
        ("https://hooks.example.com.evil.com/a", ("hooks.example.com",), "not in"),
        ("https://user:pw@hooks.example.com/a", (), "user name or a password"),
        ("https://hooks.example.com@evil.com/a", ("hooks.example.com",), "user name"),
        ("https:///a", (), "cannot be read"),
        ("https://[::1/a", (), "cannot be read"),
        ("https://hooks.example.com:port/a", (), "cannot be read"),
        ("https://hooks.example.com/a b", (), "cannot be read"),
        ("https://hooks.example.com/a\r\nX: y", (), "cannot be read"),
        ("https://h\u043eoks.example.com/a", (), "cannot be read"),
        ("https://hooks.example.com/" + "a" * 500, (), "cannot be read"),
        ("", (), "cannot be read"),
    ],
)
def test_only_https_to_allowed_hosts(url, hosts, words):
    problem = address_problem(url, hosts)
    assert words in problem
    assert bool(problem) == bool(words)
    assert "/a" not in problem  # a path may hold a secret


def test_plain_http_is_for_this_machine_and_for_tests_alone():
    assert address_problem("http://127.0.0.1:9/a", loopback=True) == ""
    assert address_problem("http://hooks.example.com/a", loopback=True)
    assert address_problem("http://127.0.0.1.evil.com/a", loopback=True)
    assert host_of("https://hooks.example.com/secret") == "hooks.example.com"


def test_a_webhook_with_a_problem_sends_nothing():
    hook = Webhook("http://hooks.example.com/a")
    assert not hook.offer(BODY)
    assert hook.dropped == 1
    asyncio.run(hook.run())  # returns at once
    assert hook.calls == 0


# --- calls ---------------------------------------------------------------------------------------


@pytest.mark.loopback
def test_a_payload_arrives_once_as_it_is():
    async def scenario():
        async with Server() as server, Run(server.url) as run:
            assert run.hook.offer(BODY)
            await run.until(lambda: run.hook.sent == 1)
            ((first, headers, body),) = server.heard
            assert first == "POST /hook/secret?x=1 HTTP/1.1"
            assert headers["host"] == f"127.0.0.1:{server.port}"
            assert headers["content-type"] == "application/json"
            assert "cookie" not in headers
            assert body == BODY
            assert run.said == ["Sent to 127.0.0.1."]

    asyncio.run(scenario())


@pytest.mark.loopback
def test_a_redirect_is_not_followed():
    async def scenario():
        async with Server() as other:
            moved = answer("307 Temporary Redirect", f"Location: {other.url}")
            async with Server(moved) as server, Run(server.url) as run:
                run.hook.offer(BODY)
                await run.until(lambda: run.hook.failed == 1)
                assert other.heard == []
                assert len(server.heard) == 1
                assert "redirected (HTTP 307), not followed; given up" in run.said[-1]

    asyncio.run(scenario())


@pytest.mark.loopback
@pytest.mark.parametrize("status", ["500 Oops", "429 Slow Down", "503 Later"])
def test_it_is_tried_again_twice_at_most(status):
    async def scenario():
        async with Server(answer(status)) as server, Run(server.url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.failed == 1)
            assert len(server.heard) == TRIES_MAX == 3
            assert run.said[-1].endswith("given up.")
            assert "secret" not in " ".join(run.said)

    asyncio.run(scenario())


@pytest.mark.loopback
def test_a_second_try_may_do():
    async def scenario():
        async with Server(answer("502 Bad Gateway"), OK) as server, Run(server.url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.sent == 1)
            assert len(server.heard) == 2
            assert "trying again" in run.said[0]

    asyncio.run(scenario())


@pytest.mark.loopback
@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "403 No", "404 Gone"])
def test_a_refusal_is_taken_as_one(status):
    async def scenario():
        async with Server(answer(status)) as server, Run(server.url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.failed == 1)
            assert len(server.heard) == 1

    asyncio.run(scenario())


@pytest.mark.loopback
def test_a_slow_server_is_left_after_a_while(monkeypatch):
    monkeypatch.setattr(module, "CALL_S_MAX", 0.05)

    async def scenario():
        async with Server(hold=True) as server, Run(server.url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.failed == 1)
            assert "timed out; given up" in run.said[-1]

    asyncio.run(scenario())


@pytest.mark.loopback
@pytest.mark.parametrize(
    "said", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n"]
)
def test_a_broken_answer_is_said(said):
    async def scenario():
        async with Server(said) as server, Run(server.url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.failed == 1)
            assert run.said

    asyncio.run(scenario())


@pytest.mark.loopback
def test_a_long_answer_is_not_read():
    async def scenario():
        endless = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 100_000
        async with Server(endless) as server, Run(server.url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.sent == 1)

    asyncio.run(scenario())


@pytest.mark.loopback
def test_nobody_there_is_said():
    async def scenario():
        async with Server() as server:
            url = server.url
        async with Run(url) as run:
            run.hook.offer(BODY)
            await run.until(lambda: run.hook.failed == 1)
            assert "refused" in run.said[-1]

    asyncio.run(scenario())


@pytest.mark.loopback
def test_ten_a_minute_go_out_the_others_wait_and_the_rest_is_dropped():
    async def scenario():
        async with Server() as server, Run(server.url) as run:
            taken = [run.hook.offer(json.dumps(at).encode()) for at in range(50)]
            assert sum(taken) == QUEUE_MAX
            assert run.hook.dropped == 50 - QUEUE_MAX
            await run.until(lambda: run.hook.sent == CALLS_A_MINUTE)
            await asyncio.sleep(0.05)
            run.hook.tick(module.mono_s())
            assert len(server.heard) == CALLS_A_MINUTE
            assert run.hook.offer(BODY)  # room again, and it does not jump the queue
            await asyncio.sleep(0.05)
            assert len(server.heard) == CALLS_A_MINUTE
            assert [json.loads(body) for _, _, body in server.heard] == list(range(10))

    asyncio.run(scenario())


@pytest.mark.loopback
def test_after_a_minute_the_next_ones_go(monkeypatch):
    late = [0.0]
    real = module.mono_s
    monkeypatch.setattr(module, "mono_s", lambda: real() + late[0])

    async def scenario():
        async with Server() as server, Run(server.url) as run:
            for _ in range(CALLS_A_MINUTE + 2):
                run.hook.offer(BODY)
            await run.until(lambda: run.hook.sent == CALLS_A_MINUTE)
            late[0] = 61.0
            await run.until(lambda: run.hook.sent == CALLS_A_MINUTE + 2)

    asyncio.run(scenario())


def test_too_large_a_payload_is_dropped():
    hook = Webhook("https://hooks.example.com/a")
    assert not hook.offer(b"x" * (BODY_BYTES_MAX + 1))
    assert hook.offer(b"x" * BODY_BYTES_MAX)
    assert (hook.dropped, hook.waiting) == (1, 1)


@pytest.mark.loopback
@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_verified(trusted):
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.com").configure_cert(tls)
    ours = ssl.create_default_context()
    if trusted:
        authority.configure_trust(ours)
    names = Names(lambda host, port: ["127.0.0.1"])

    async def scenario():
        async with Server(tls=tls) as server:
            url = f"https://hooks.example.com:{server.port}/a"
            async with Run(url, tls=ours, names=names) as run:
                run.hook.offer(BODY)
                await run.until(lambda: run.hook.sent + run.hook.failed == 1)
                assert run.hook.sent == (1 if trusted else 0)
                assert bool(server.heard) == trusted
                if not trusted:
                    assert "TLS certificate" in run.said[-1]
                    assert run.hook.calls == 1  # a bad certificate stays one

    asyncio.run(scenario())
