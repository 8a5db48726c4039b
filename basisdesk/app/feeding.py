"""The feeds of one desk: which venues, where they listen, and what they have to bring."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from basisdesk.app.record import addresses
from basisdesk.app.watching import Pair, Watching
from basisdesk.clock import SystemClock
from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.pace import Pace
from basisdesk.feed.supervisor import Supervisor
from basisdesk.feed.tasks import spawn
from basisdesk.ui.context import LinkNote
from basisdesk.venues import known_venues
from basisdesk.venues.bybit import Bybit

if TYPE_CHECKING:
    from basisdesk.app.exchange_process import ExchangeAddress

CATALOGUE_AFTER_S = 2.0  # the first chart goes first
BYBIT = Bybit()  # the one venue with books of combinations


class Feeding:
    """Owns the supervisor and its task. `watching` says which legs it has to bring.

    demo: where the demo exchange listens, or None on real venues. on_slept: told the seconds that
    the machine's clock lost.
    """

    def __init__(
        self,
        settings: Settings,
        inbox: Inbox,
        clock: SystemClock,
        engine: Engine,
        watching: Watching,
        demo: "ExchangeAddress | None",
    ) -> None:
        self._engine = engine
        self.watching = watching
        endpoints, rest = addresses(settings, {})
        venues = known_venues()
        if demo is not None:
            endpoints |= demo.sockets
            rest |= dict.fromkeys(venues, demo.rest)
        self.supervisor = Supervisor(
            list(venues.values()),
            inbox,
            clock,
            engine.market,
            endpoints,
            rest,
            pace=_pace(clock, demo),
            proxy=settings.network.proxy,
        )
        if demo is None:  # the demo exchange sleeps with us and its time with it
            self.supervisor.on_slept = clock.skip
        self._task: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None

    def start(self, on_dead: Callable[[str, BaseException], None]) -> None:
        """Watch what is wanted and keep it flowing; a little later ask venues what they trade."""
        self.follow()
        self._task = spawn(self.supervisor.run(), "feeds", on_dead)
        loop = asyncio.get_running_loop()
        self._later = loop.call_later(CATALOGUE_AFTER_S, self._ask_catalogues)

    def _ask_catalogues(self) -> None:
        for name in known_venues():
            self.supervisor.catalogue(name)

    def show(self, first: str, second: str) -> None:
        """Another pair is on the screen."""
        self.watching.show((first, second))
        self.follow()

    def watch(self, pairs: tuple[Pair, ...]) -> None:
        """These pairs are watched whatever is on the screen."""
        self.watching.unseen = pairs
        self.follow()

    def follow(self) -> None:
        """Watch the pairs looked at, every leg held, and the cross rates they need."""
        held = {leg.instrument for pair in self._engine.open_pairs() for leg in pair.legs}
        combos = [combo for pair in self.watching.pairs if (combo := BYBIT.combo_topic(*pair))]
        self.supervisor.watch(self.watching.legs(held), combos)

    def notes(self) -> Mapping[str, LinkNote]:
        """What the feeds counted, for the feeds panel."""
        return {
            conn: LinkNote(
                facts.host,
                facts.renewals,
                facts.next_try_s or math.nan,
                facts.asks_hour,
                facts.messages,
                facts.reason,
            )
            for conn, facts in self.supervisor.facts().items()
        }

    async def stop(self, patience_s: float) -> None:
        """Cancel the feeds and wait until their sockets are gone."""
        if self._later is not None:
            self._later.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=patience_s)


def _pace(clock: SystemClock, demo: "ExchangeAddress | None") -> Pace:
    """The feeds' usual pace; our own exchange needs no restraint and beats in its own time."""
    if demo is None:
        return Pace()
    return Pace(restraint=0.0, beat_s=min(1.0, 1.0 / clock.speed))
