"""Sends alerts to one address of the user's own: https, allowed hosts only, few, small, verified.

Redirects are not followed and answers are not read. An address may hold a secret in its path, so
only its host is ever shown.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Callable, Collection
from urllib.parse import SplitResult, urlsplit

import certifi
import httpcore

from basisdesk.clock import mono_s
from basisdesk.feed.call_trace import CallTrace
from basisdesk.feed.faults import CALL_ERRORS, Fault, fault_of, http_fault
from basisdesk.feed.names import Names
from basisdesk.feed.shared import LOOPBACK
from basisdesk.feed.tasks import Pause

CALL_S_MAX = 5.0
BODY_BYTES_MAX = 4_096
CALLS_A_MINUTE = 10
QUEUE_MAX = 20
TRIES_MAX = 3  # the first one and two more
RETRY_S = (2.0, 10.0)
URL_MAX = 500


def address_problem(url: str, hosts: Collection[str] = (), *, loopback: bool = False) -> str:
    """Why alerts cannot be sent to this address, one sentence; "" when they can.

    hosts: the allow-list; empty allows the address's own host. loopback: plain http to this
    machine will do, for tests.
    """
    parts = _split(url)
    if parts is None:
        return "The webhook's address cannot be read. Give https://HOST/PATH in plain characters."
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        return "The webhook's address must not hold a user name or a password."
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and host in LOOPBACK):
        return "The webhook's address must begin with https://."
    allowed = {each.strip().lower() for each in hosts}
    if allowed and host not in allowed:
        return f"The host {host} is not in alerts.webhook_hosts. Add it there, or mend the address."
    return ""


def host_of(url: str) -> str:
    """The host of an address, for the screen; "" where there is none."""
    parts = _split(url)
    return "" if parts is None else parts.hostname or ""


def _split(url: str) -> SplitResult | None:
    if not url or len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname else None


class Webhook:
    """One address. `offer` puts a payload into a short queue, `run` sends it at its own pace.

    sent, failed: payloads. dropped: those that found the queue full or were too large.
    said: what became of the last one, for the screen. on_said: told each such sentence.
    """

    def __init__(
        self,
        url: str,
        hosts: Collection[str] = (),
        *,
        loopback: bool = False,
        tls: ssl.SSLContext | None = None,
        names: Names | None = None,
    ) -> None:
        self.problem = address_problem(url, hosts, loopback=loopback)
        self.host = host_of(url)
        self.sent = self.failed = self.dropped = self.calls = 0
        self.said = self.problem
        self.on_said: Callable[[str], None] | None = None
        self._url = url
        self._tls = tls
        self._names = names or Names()
        self._queue: deque[bytes] = deque()
        self._called: deque[float] = deque(maxlen=CALLS_A_MINUTE)
        self._pause = Pause()
        self._idle = False

    @property
    def waiting(self) -> int:
        """Payloads in the queue."""
        return len(self._queue)

    def offer(self, body: bytes) -> bool:
        """Take a payload to be sent; False where it was dropped."""
        if self.problem or len(body) > BODY_BYTES_MAX or len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
            return False
        self._queue.append(body)
        if self._idle:  # a wait for its turn is not cut short
            self._pause.cut()
        return True

    def tick(self, now_s: float) -> None:
        """The watchdog's call, about once a second; now_s as mono_s gives it."""
        self._pause.tick(now_s)

    async def run(self) -> None:
        """Send what was offered until cancelled."""
        if self.problem:
            return
        async with httpcore.AsyncConnectionPool(
            ssl_context=self._tls or _trust(), max_connections=1, max_keepalive_connections=0
        ) as client:
            while True:
                if not self._queue:
                    self._idle = True
                    await self._pause.sleep(math.inf)
                    self._idle = False
                    continue
                await self._send(client, self._queue.popleft())

    async def _send(self, client: httpcore.AsyncConnectionPool, body: bytes) -> None:
        for attempt in range(TRIES_MAX):
            await self._turn()
            fault = await self._call(client, body)
            if fault is None:
                self.sent += 1
                self._say(f"Sent to {self.host}.")
                return
            last = attempt + 1 == TRIES_MAX or not _may_pass(fault)
            self._say(f"{self.host}: {fault.reason}{'; given up' if last else '; trying again'}.")
            if last:
                break
            await self._pause.sleep(RETRY_S[attempt])
        self.failed += 1

    async def _turn(self) -> None:
        """Wait until one more call a minute is allowed."""
        while len(self._called) == CALLS_A_MINUTE:
            wait_s = self._called[0] + 60.0 - mono_s()
            if wait_s <= 0:
                break
            await self._pause.sleep(wait_s)
        self._called.append(mono_s())

    async def _call(self, client: httpcore.AsyncConnectionPool, body: bytes) -> Fault | None:
        self.calls += 1
        try:
            async with asyncio.timeout(CALL_S_MAX):
                return await self._post(client, body)
        except CALL_ERRORS as exc:
            return fault_of(exc)

    async def _post(self, client: httpcore.AsyncConnectionPool, body: bytes) -> Fault | None:
        parts = urlsplit(self._url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = (await self._names.addresses(host, port))[0]
        literal = f"[{address}]" if ":" in address else address
        more: dict[str, object] = {"sni_hostname": host} if secure else {}
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        async with client.stream(
            "POST",
            f"{parts.scheme}://{literal}:{port}{target}",
            headers=[
                ("Host", parts.netloc),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("User-Agent", "basisdesk"),
            ],
            content=body,
            extensions=more | {"trace": CallTrace().note},
        ) as response:
            if 200 <= response.status < 300:
                return None
            return http_fault(response.status, None)

    def _say(self, sentence: str) -> None:
        self.said = sentence
        if self.on_said is not None:
            self.on_said(sentence)


def _may_pass(fault: Fault) -> bool:
    """Whether trying again could help; a redirect, a refusal or a bad certificate stays one."""
    return fault.how in ("retry", "away") or "HTTP 429" in fault.reason


def _trust() -> ssl.SSLContext:
    """The system's trust store; certifi's where the system has none."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context
