"""Make before break: a connection that its venue will cut gets a second socket first.

The old socket goes on until the new one has brought every live stream; then the market is told
"renewed" and reads on without a pause. Where the new one fails, or is silent where the old one is
not, the old stays and it is tried again later.
"""

import asyncio
import math
from typing import Protocol

from websockets.exceptions import ConnectionClosed

from basisdesk.clock import mono_s
from basisdesk.feed.asks import Asks
from basisdesk.feed.faults import Fault, clean, fault_of
from basisdesk.feed.heir import Heir
from basisdesk.feed.pace import Waits
from basisdesk.feed.proxy import through, told
from basisdesk.feed.shared import Shared
from basisdesk.feed.tasks import Pause
from basisdesk.feed.wire import OPEN_ERRORS, Request, Wire, open_socket
from basisdesk.venues import Limits, TopicRule, Venue

AGE_SHARE = 23 / 24  # of a socket's allowed life, then it is renewed ...
AGE_JITTER = 1 / 48  # ... or up to this much earlier, so that not all links do it at once


class Renewed(Protocol):
    """The connection, as far as its renewal needs it."""

    conn: str
    url: str
    venue: Venue
    limits: Limits
    asks: Asks

    def rule(self, topic: str) -> TopicRule:
        """What a topic of this connection carries."""
        ...

    @property
    def wire(self) -> Wire | None:
        """The socket in use."""
        ...

    def may_connect_in_s(self) -> float:
        """Seconds until the host's limits allow a connect; 0 counts one."""
        ...

    def next_id(self) -> str:
        """A request id that this connection has not used yet."""
        ...

    def take_over(self, old: Wire, heir: Heir) -> None:
        """Use the heir's socket from now on."""
        ...


class Renewal:
    """One connection's second socket, when it needs one.

    count: sockets that took over. failed: why the last try did not, or "".
    heir: the second socket while there is one; it is told what the old one brings.
    """

    def __init__(self, link: Renewed, shared: Shared) -> None:
        self.count = 0
        self.tries = 0
        self.failed = ""
        self.busy = False
        self.heir: Heir | None = None
        self._link = link
        self._shared = shared
        self._wanted = False
        self._pause = Pause()
        self._waits = Waits(shared.pace, shared.rng, link.limits.floor_s)
        self._due_s = math.inf
        self._not_before_s = 0.0

    def restart(self, now_s: float) -> None:
        """The connection has a new socket, whose life begins."""
        life_s = self._link.limits.life_s
        share = AGE_SHARE - self._shared.rng.uniform(0.0, AGE_JITTER)
        self._due_s = now_s + life_s * share if life_s > 0 else math.inf
        self._wanted = False

    def tick(self, now_s: float, closing: bool) -> None:
        """The watchdog's call. closing: the venue announced the end of the socket in use."""
        self._pause.tick(now_s)
        if self.heir is not None:
            self.heir.wire.pump(now_s)
        due = closing or self._wanted or now_s >= self._due_s
        if due and not self.busy and now_s >= self._not_before_s and self._link.wire is not None:
            self.busy = True
            self._pause.cut()

    def ask(self) -> None:
        """Renew at the next tick, whatever the age."""
        self._wanted = True

    async def run(self) -> None:
        """Renew whenever a tick finds it due, until cancelled."""
        while True:
            while not self.busy:
                await self._pause.sleep(math.inf)
            fault = await self._renew()
            now_s = mono_s()
            if fault is None:
                self._waits.start_over()
                self.count += 1
                self.failed = ""
                self._not_before_s = now_s + self._shared.pace.renew_again_s
            else:
                wait_s = self._waits.after(fault)
                self._not_before_s = now_s + wait_s
                self.failed = f"not renewed: {fault.reason}; next try in {wait_s:.0f} s"
            self._wanted = False
            self.busy = False

    async def _renew(self) -> Fault | None:
        link, old = self._link, self._link.wire
        while (wait_s := link.may_connect_in_s()) > 0:
            await self._pause.sleep(wait_s)
        if old is None or link.wire is not old:
            return Fault("the old socket is gone")
        self.tries += 1
        try:
            ws = await open_socket(link.url, self.tries, self._shared)
        except OPEN_ERRORS as exc:
            return told(fault_of(exc), through(self._shared.proxy, link.url))
        wire = Wire(ws, link.limits, self._shared.pace)  # nobody is told what is asked here
        try:
            return await self._overlap(old, wire)
        finally:
            self.heir = None
            if link.wire is not wire:
                await wire.end()

    async def _overlap(self, old: Wire, wire: Wire) -> Fault | None:
        link, now_ns = self._link, self._shared.clock.now_ns
        self.heir = heir = self._ask_all(wire)
        since_ns, waits = now_ns(), True
        try:
            async with asyncio.timeout(self._shared.pace.overlap_s):
                while not heir.ready and not heir.trouble:
                    heir.take(await wire.ws.recv(decode=False))
                    if waits and heir.answered:  # what the old one heard before tells nothing
                        since_ns, waits = now_ns(), False
        except TimeoutError:
            heir.overdue(link.asks.heard_since(since_ns))
        except (ConnectionClosed, OSError) as exc:
            return fault_of(exc)
        if heir.trouble:
            return Fault(clean(heir.trouble))
        if link.wire is not old:
            return Fault("the old socket was lost meanwhile")
        link.take_over(old, heir)
        return None

    def _ask_all(self, wire: Wire) -> Heir:
        """Ask for everything on the new socket."""
        link, codec = self._link, self._link.venue.codec
        topics = tuple(link.asks.taken())
        live = link.asks.live()
        heir = Heir(wire, codec(link.conn), link.rule, topics, live, codec(link.conn))
        for batch in link.venue.batches(topics):
            req_id = link.next_id()
            heir.asked(req_id, batch)
            message = link.venue.subscribe(batch, req_id)
            wire.send(Request(message, req_id, batch, counted=True))
        return heir
