"""From the command to the checked journal: an engine that trades in two currencies."""

import msgspec
import pytest
from cross_rig import BINANCE_PERP, KRAKEN_SPOT, USDT_USD, CrossRig, venue_settings
from trading_rig import FREE, D, S, order

from basisdesk.engine import Engine
from basisdesk.events import BEAT, COMMAND, ClosePair, EquityMarked, Frame, SessionStarted
from basisdesk.lab.replay import fresh_engine, pair_row
from basisdesk.lab.report import SaveJob, save_session
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.valuation import Worth
from basisdesk.trading.cross import cross_of
from basisdesk.venues import known_venues

START = D(10_000)


class Floor(CrossRig):
    """The rig's legs under a whole engine with a journal on disk."""

    def __init__(self, path):
        super().__init__()
        self.journal = Journal.open(path)
        self.engine = Engine(venue_settings(), known_venues(), self.journal)
        self.engine.market.instruments.update(self.market.instruments)
        self.engine.market.legs.update(self.market.legs)
        self.engine.market.perps.update(self.market.perps)
        self.engine.start_session(SessionStarted(self.now, "s", "demo", "", "USDT", START))

    def tell(self, command):
        self.now += S
        self.fresh()
        self.engine.advance([Frame(COMMAND, msgspec.json.encode(command), self.now)])
        return next(
            each for each in reversed(self.engine.outcomes) if not isinstance(each, EquityMarked)
        )

    def beat(self):
        self.now += S
        self.fresh()
        self.engine.advance([Frame(BEAT, b"", self.now)])


@pytest.fixture
def floor(tmp_path):
    floor = Floor(tmp_path / "journal.db")
    floor.tell(order("1000", long=KRAKEN_SPOT, short=BINANCE_PERP, leverage="1", plan=FREE))
    yield floor
    floor.journal.close()


def test_equity_and_attribution_follow_the_cross_rate(floor):
    engine = floor.engine
    before, cross = engine.funds().equity, cross_of(engine.market, "USD", "USDT", floor.now)
    assert engine.worths()[KRAKEN_SPOT] == Worth(D("0.36395"), cross.mid)
    assert engine.mids()[KRAKEN_SPOT] == D("0.36395")  # in dollars, as it is quoted
    first = engine.attribution(1)
    assert first.total == before - START
    floor.show(USDT_USD, [(0.9796, 1e6)], [(0.9798, 1e6)])
    risen = cross_of(engine.market, "USD", "USDT", floor.now).mid
    gained = 1000 * D("0.36395") * (risen - cross.mid)
    assert engine.funds().equity - before == gained > 0
    assert engine.attribution(1).total == engine.funds().equity - START
    assert engine.attribution(1).basis - first.basis == gained  # dearer beside its perpetual


def test_a_cross_rate_that_is_lost_leaves_the_last_one_standing(floor):
    floor.show(USDT_USD, [(0.9796, 1e6)], [(0.9798, 1e6)])
    floor.beat()
    equity = floor.engine.funds().equity
    floor.market.leg(USDT_USD).clear_quote()
    assert floor.engine.funds().equity == equity
    floor.market.leg(KRAKEN_SPOT).clear_quote()
    assert floor.engine.funds().equity == equity


def test_the_journal_of_two_currencies_is_sound_and_restores_to_the_same_books(floor, tmp_path):
    floor.tell(ClosePair(1, D("0.4")))
    floor.show(USDT_USD, [(0.9990, 1e6)], [(0.9992, 1e6)])
    assert floor.tell(ClosePair(1)).closed
    report = check_journal(tmp_path / "journal.db")
    assert (report.ok, report.problems) == (True, [])
    assert report.equity == floor.engine.funds().equity
    twin = fresh_engine(venue_settings(), None)
    twin.restore(floor.journal.entries())
    assert twin.books.digest() == floor.engine.books.digest() == report.digest
    assert twin.attribution(1) == floor.engine.attribution(1)
    row = pair_row(twin, 1, list(twin.outcomes)[1:])
    assert {fill["fee_currency"] for fill in row["fills"]} == {"USD", "USDT"}


def test_a_saved_log_values_open_pairs_at_the_worths_it_was_given(floor, tmp_path):
    floor.show(USDT_USD, [(0.9796, 1e6)], [(0.9798, 1e6)])
    job = SaveJob(
        journal=tmp_path / "journal.db",
        folder=tmp_path / "log",
        settings=venue_settings(),
        mids=dict(floor.engine.worths()),
        feeds={},
    )
    save_session(job)
    told = msgspec.json.decode((tmp_path / "log" / "session.json").read_bytes())
    assert D(told["equity"]["end"]) == floor.engine.funds().equity


def test_a_bare_price_in_a_saved_log_stands_at_the_pairs_own_rate(floor):
    twin = fresh_engine(venue_settings(), None)
    twin.restore(floor.journal.entries())
    twin.value_at({KRAKEN_SPOT: D("0.4")})
    held = twin.open_pairs()[0].long.fx
    assert twin.worths()[KRAKEN_SPOT] == Worth(D("0.4"), held)
    assert held > 1
