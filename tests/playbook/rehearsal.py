"""A whole desk over the demo market in one process: no socket, time as fast as it goes.

Each step every topic of every leg is told once more as a snapshot in the venue's own words, then
the autopilot looks at its pairs and its commands go into the engine as a person's would.
"""

from collections import deque

import msgspec

from basisdesk.config import Paper, Settings
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.floor import Trading, VenueFloor
from basisdesk.demo.market import Market
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import BEAT, COMMAND, Frame, SessionStarted, SetValue
from basisdesk.playbook.autopilot import Autopilot
from basisdesk.playbook.reader import Beside, ViewReader
from basisdesk.venues import known_venues
from tests.playbook.playbook_rig import D

MS = 1_000_000
S = 1_000_000_000
EPOCH_MS = 1_790_000_000_000
BEAT_NS = 120 * MS


class Rehearsal:
    """One scenario, one pair of legs, one autopilot. beside: what others say of a view."""

    def __init__(self, scenario, legs, seed=7, step_s=2.0, autopilot=None, **settings):
        self.ms = EPOCH_MS
        self.legs, self.step_ms = legs, round(step_s * 1000)
        self.sim = Market(seed, scenario, EPOCH_MS)
        self.trading = Trading(self.sim, lambda: self.ms, seed)
        self.floor = VenueFloor(self.trading, lambda venue: self.ms)
        self.venues = known_venues()
        self.dialects = {dialect.venue: dialect for dialect in known_dialects()}
        settings = Settings(paper=Paper(latency_ms=0), **settings)
        self.engine = Engine(settings, self.venues, MemoryJournal())
        self.engine.outcomes = deque()
        start = SessionStarted(self.ms * MS, "s", "demo", "0", "USDT", D(10_000))
        self.engine.start_session(start)
        self.tell(SetValue("pair", " ".join(legs)))
        self.channels = [channel for leg in legs for channel in self._channels(leg)]
        for leg in legs:
            self._backfill(leg)
        self.autopilot = autopilot or Autopilot()
        self.reader = ViewReader(self.engine)
        self.beside = lambda view: Beside()
        self.view = None

    @property
    def pair(self):
        return " ".join(self.legs)

    @property
    def now_ns(self):
        return self.ms * MS

    def tell(self, what):
        self._feed([(COMMAND, msgspec.json.encode(what))])

    def step(self):
        """The next moment: quotes, a beat, a look."""
        self.ms += self.step_ms
        self.sim.advance(self.ms)
        rows = []
        for dialect, conn, topic, name in self.channels:
            leg = self.trading.sim(name)
            said = dialect.greet(conn, topic, leg, {"floor": self.floor}, self.ms)
            rows += [(conn, payload) for payload in said]
        self._feed(rows)
        now_ns = (
            self.ms * MS + BEAT_NS
        )  # all legs are heard by then, and the market beats once more
        self.engine.advance([Frame(BEAT, b"", now_ns)])
        beside = self.beside(self.view)._replace(own=tuple(self.autopilot.own))
        self.view = self.reader.read(self.legs, now_ns, beside)
        for command in self.autopilot.step([self.view], now_ns):
            self.tell(command)

    def run(self, minutes, until=lambda rehearsal: False):
        """Step so long, or until something holds; gives whether it did."""
        for _ in range(round(minutes * 60_000 / self.step_ms)):
            self.step()
            if until(self):
                return True
        return False

    def closed(self):
        """The closed positions' results, once the autopilot has heard of them."""
        found = self.engine.funds().results
        return found if self.view is not None and self.view.ours == found else ()

    def said(self, *kinds):
        """(kind, code) of the journal's notes of these kinds; of all where none is named."""
        notes = self.autopilot.journal.notes
        return [(note.kind, note.code) for note in notes if not kinds or note.kind in kinds]

    def _channels(self, key):
        venue = self.venues[key.partition(":")[0]]
        dialect = self.dialects[venue.name]
        for conn, topics in venue.topics(key).items():
            for batch in venue.batches(topics):
                heard = dialect.hear(conn, venue.subscribe(batch, "1"), {}, self.floor, "c")
                for topic in heard.added:
                    yield dialect, conn, topic, dialect.leg_of(conn, topic)

    def _backfill(self, key):
        venue = self.venues[key.partition(":")[0]]
        rows = []
        for path in venue.backfill(key, self.ms):
            page = self.dialects[venue.name].page(path, self.floor)
            body = {"path": path, "data": page.body.decode()}
            rows.append((f"{venue.name}.rest", msgspec.json.encode(body)))
        self._feed(rows)

    def _feed(self, rows):
        self.engine.advance([Frame(conn, payload, self.ms * MS) for conn, payload in rows])
