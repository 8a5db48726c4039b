"""The league on a made market: exact money, the same twice, reasons, and honest nulls."""

import argparse
import json
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import COMMAND, Frame
from basisdesk.lab.halted import halted_bars, halted_rows
from basisdesk.lab.league import (
    LeagueOptions,
    add_league_arguments,
    entrants_of,
    league_from,
    run_league,
    series_data,
    study_league,
)
from basisdesk.lab.league_costs import COSTS
from basisdesk.lab.league_data import Told, bars_field, edges_of, tape_field
from basisdesk.lab.league_lines import held_of, marks_of
from basisdesk.lab.league_nulls import Ground, Held
from basisdesk.lab.league_run import Entrant, walked
from basisdesk.lab.league_tables import stood_table
from basisdesk.lab.league_views import SlowClock, need_of, usual_stretch
from basisdesk.lab.pages import study_page
from basisdesk.lab.series import Coverage, PairSeries, Settlements, Terms
from basisdesk.lab.sources import SourceOptions
from basisdesk.lab.tape import TapeHeader, TapeReader, TapeWriter
from basisdesk.lab.words import Cancelled, registered
from basisdesk.playbook import shelf
from basisdesk.playbook.reader import ViewReader
from basisdesk.playbook.words import View

HOUR = 3_600_000_000_000
T0 = 1_700_006_400_000_000_000  # a stamp of 8 h
OPTIONS = LeagueOptions(tiers=("low", "taker"), tier="low")


def made(rows=240, step_s=3600.0, seed=1, rate=0.0012):
    """Bars with a basis near its fair value and funding that pays 12 bp each 8 h."""
    rng = np.random.default_rng(seed)
    t_ns = T0 + np.arange(1, rows + 1) * round(step_s * 1e9)
    spot = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.003, rows))), 2)
    perp = np.round(spot * (1.0 + rng.normal(0.0, 1e-4, rows)), 2)
    last = int((t_ns[-1] - T0) // (8 * HOUR))
    stamps = T0 + np.arange(last + 1) * 8 * HOUR
    n = len(stamps)
    return PairSeries(
        name="made", spot="binance:spot:ADAUSDT", perp="binance:perp:ADAUSDT", kind="bars",
        step_s=step_s, t_ns=t_ns, spot_bid=spot, spot_ask=spot, perp_bid=perp, perp_ask=perp,
        mark=perp,
        settled=Settlements(stamps, np.full(n, rate), np.full(n, np.nan), np.full(n, 8.0)),
        terms=Terms(8.0, 0.0001, 0.0005, 0.003),
        coverage=Coverage(rows, {}, 0, step_s, ()),
    )  # fmt: skip


@pytest.fixture(scope="module")
def study():
    return study_league(series_data([made()], OPTIONS), OPTIONS)


@pytest.fixture(scope="module")
def gap():
    """(series, what the funding gap did on it) at the lowest costs."""
    series = made()
    field = bars_field(Told(series, 10_000.0), COSTS["low"], 10_000.0)
    edges, _ = edges_of(int(series.t_ns[0]), int(series.t_ns[-1]))
    return series, walked(Entrant("funding-gap", shelf.find("funding-gap")), field, edges)


def test_attribution_is_the_change_of_equity_to_the_digit(gap, study):
    _, one = gap
    assert len(one.deals) > 2
    terms = ("basis", "funding", "fees", "slippage", "borrow", "residual")
    for deal in one.deals:
        assert sum(deal.terms[term] for term in terms) == deal.terms["total"]
    assert sum(deal.terms["total"] for deal in one.deals) == one.end - one.start != 0
    assert one.equity[0] == one.start
    assert one.equity[-1] == one.end
    for row in study["figures"]:
        told = {term: Decimal(amount) for term, amount in row["attribution"].items()}
        assert sum(told[term] for term in terms) == told["total"] == Decimal(row["net"])


def test_the_same_league_twice_is_the_same(study):
    again = study_league(series_data([made()], OPTIONS), OPTIONS)
    assert json.dumps(again) == json.dumps(study)
    assert registered(study["pre_registration"])
    assert "Playbook league" in study_page(study)


def test_what_traded_has_its_reason_and_what_did_not_has_one_too(gap, study):
    _, one = gap
    assert {deal.code for deal in one.deals} == {"gap"}
    assert all("is worth" in deal.said and deal.why for deal in one.deals)
    named = {row[0] for row in study["tables"][4]["rows"]}
    names = {row["playbook"] for row in study["figures"]}
    assert names <= named  # each stood still now and then
    assert {"decoupling", "convergence", "carry", "clamp-aware"} <= named  # they need quotes
    assert all(sum(row["stood"].values()) > 0 for row in study["figures"])


def test_never_trading_earns_nothing(study):
    row = study["tables"][0]["rows"][-1]
    assert row[:3] == ["never trade", 0, 0.0]
    assert not any(row[1:10])
    idle = [row for row in study["figures"] if row["trades"] == 0]
    assert idle
    assert all(Decimal(row["net"]) == 0 for row in idle)


def test_twenty_days_answer_no_claim(study):
    assert study["claims"] == {}


def test_what_enters_nothing_is_not_walked_at_higher_costs_and_would_not_enter(study):
    skipped = [
        row for row in study["figures"] if row["costs"] == "taker" and row["walked"] == [False]
    ]
    assert skipped
    field = bars_field(Told(made(), 10_000.0), COSTS["taker"], 10_000.0)
    entrants, _ = entrants_of(OPTIONS, [made()])
    for entrant in (each for each in entrants if each.name == skipped[0]["playbook"]):
        assert walked(entrant, field, np.array([T0])).deals == ()


def test_the_nulls_reckon_as_the_ledger_does(gap):
    series, one = gap
    trades = held_of(one, int(series.t_ns[-1]))
    chance = Ground(series, COSTS["low"]).random(trades, draws=50)
    assert chance.net == pytest.approx(float(one.end - one.start), abs=0.02)  # a tick of spread
    funding = sum(deal.terms["funding"] for deal in one.deals)
    shuffled = Ground(series, COSTS["low"]).shuffled(trades, draws=50)
    assert shuffled.net == pytest.approx(float(funding), rel=0.01)
    assert shuffled.draws == pytest.approx(shuffled.net, rel=0.02)  # all rates are alike


def test_random_entries_keep_count_lengths_and_sizes(monkeypatch):
    series = made()
    trades = [Held(int(series.t_ns[at]), int(series.t_ns[at + n]), 1, 100.0 * n)
              for at, n in ((3, 2), (9, 5), (50, 30))]  # fmt: skip
    seen = []
    monkeypatch.setattr(
        Ground, "net", lambda _, *given: seen.append(given) or np.zeros(given[0].shape)
    )
    Ground(series, COSTS["low"]).random(trades, draws=200)
    entry, leave, _, size = seen[1]
    assert entry.shape == (200, 3)
    assert (np.sort(leave - entry, axis=1) == [2 * HOUR, 5 * HOUR, 30 * HOUR]).all()
    assert ((leave - entry) // HOUR * 100.0 == size).all()  # each with its own size
    assert (entry[:, 1:] >= leave[:, :-1]).all()  # one after the other
    assert entry.min() >= series.t_ns[0]
    assert leave.max() <= series.t_ns[-1]
    assert len(np.unique(entry[:, 0])) > 100


def test_a_settlement_is_never_known_before_its_stamp():
    series = made(rows=30)
    series.settled.rate[:] = [0.0011, 0.0022, 0.0033, 0.0044][: len(series.settled.rate)]
    stamps = [int(t) for t in series.settled.t_ns]
    for _, frames in Told(series, 10_000.0).rows():
        for frame in frames:
            for stamp, rate in zip(stamps, (b"0.0011", b"0.0022", b"0.0033"), strict=False):
                assert rate not in frame.payload or frame.t_ns >= stamp


def test_a_halted_market_is_not_traded_on():
    series = made(rows=20)
    for side in (series.spot_bid, series.spot_ask):
        side[8] = side[9] = side[7]
    closes = series.spot_bid + series.spot_ask, series.perp_bid + series.perp_ask
    series = series._replace(halted=halted_bars(series.t_ns, series.step_s, closes))
    rows = [7, 8, 9, 15, 16]  # in 16 the perpetual repeats by chance
    assert np.flatnonzero(halted_rows(series)).tolist() == rows
    spots = [sum(f.conn == "bybit.spot" for f in frames) for _, frames in Told(series, 1e4).rows()]
    assert [at for at, count in enumerate(spots) if not count] == rows


def test_who_needs_quotes():
    books = {book.name: book for book in shelf.USUAL}
    assert need_of(books["decoupling"], 3600.0).why.startswith("needs quotes")
    assert not need_of(books["decoupling"], 60.0).why
    assert not need_of(books["funding-gap"], 3600.0).why
    entrants, needs = entrants_of(LeagueOptions(stretch=1.0), [made(rows=20)])
    assert [each.name for each in entrants] == ["funding-gap"]
    assert set(needs) == set(books)
    slow, _ = entrants_of(LeagueOptions(), [made(rows=20)])
    assert "decoupling x60" in [each.name for each in slow]
    assert usual_stretch(made(rows=20)) == 60.0


def test_a_clock_that_is_not_slowed_reads_as_the_desk_does(monkeypatch):
    series = made(rows=120, step_s=60.0)
    field = bars_field(Told(series, 10_000.0), COSTS["low"], 10_000.0)
    clock, pairs, read = SlowClock(1.0), [], ViewReader.read

    def both(self, legs, now_ns, beside):
        view = read(self, legs, now_ns, beside)
        pair = self._engine.market.pairs[legs]
        pairs.append((view, clock.see(view, pair.spot.mid)))
        return view

    monkeypatch.setattr(ViewReader, "read", both)
    walked(Entrant("funding-gap", shelf.find("funding-gap")), field, np.array([T0]))
    assert len(pairs) >= 120
    for desk, ours in pairs[-40:]:
        assert isinstance(ours, View)
        assert ours.slow == desk.slow
        assert ours.fast == desk.fast
        assert ours.flow == desk.flow


def test_a_tape_is_walked_by_the_second_and_its_commands_are_not_followed(tmp_path):
    told = Told(made(rows=60, step_s=60.0), 10_000.0)
    costs = COSTS["low"]
    frames = bars_field(told, costs, 10_000.0).opening
    frames += [frame for _, row in told.rows() for frame in row]
    close = Frame(COMMAND, b'{"do":"set_value","key":"pair","value":"x y"}', frames[-1].t_ns)
    path = tmp_path / "made.tape"
    header = TapeHeader(1, "test", frames[0].t_ns, "demo")
    with TapeWriter(path, header, 1 << 24) as tape:
        for frame in [*frames, close]:
            tape.put(frame)
    legs = (told.legs.spot, told.legs.perp)
    source = SourceOptions(tape=path, long=legs[0], short=legs[1])
    field = tape_field(TapeReader(path), legs, costs, 10_000.0, Settings())
    one = walked(Entrant("carry", shelf.find("carry")), field, np.array([T0]))
    assert 60 <= one.looks <= 120  # silence is no time to look
    assert one.end == one.start == 10_000
    study = run_league(source, LeagueOptions(tiers=("low",), tier="low"))
    assert "demo exchange" in study["sentences"][-1]
    assert study["claims"] == {}
    assert all(row["stood"] for row in study["figures"])
    assert "None: at low costs" in study_page(study)  # charts of nothing but zeros, too


def test_blocks_are_said_and_short_data_have_no_interval():
    marks = marks_of(T0 + np.arange(1_001) * 24 * HOUR, 24 * HOUR)
    assert marks.words == "30 days"
    net, low, high = marks.total(np.full(1_000, 2.0))
    assert (net, low, high) == pytest.approx((2_000.0, 2_000.0, 2_000.0))
    short = marks_of(T0 + np.arange(5) * HOUR, HOUR)
    assert np.isnan(short.total(np.ones(4))[1])


def test_it_stops_where_one_cancels():
    with pytest.raises(Cancelled, match="Cancelled after 2 of"):
        study_league(
            series_data([made(rows=30)], OPTIONS), OPTIONS, lambda done, _total, _what: done < 2
        )


def test_options_of_the_command_line():
    parser = argparse.ArgumentParser()
    add_league_arguments(parser)
    given = ["--data", "x", "--tiers", "low", "--set", "clamp-aware.blind_share=0.25"]
    _, options = league_from(parser.parse_args(given))
    assert options.tiers == ("low", "taker")
    assert options.values == (("clamp-aware", "blind_share", 0.25),)
    for wrong, said in (
        ("clamp-aware", "write BOOK.PARAM=VALUE"),
        ("nobody.x=1", "no playbook 'nobody'"),
        ("carry.x=1", "has no 'x'"),
        ("carry.hold_h=9999", "is 1 to 720"),
    ):
        with pytest.raises(UserError, match=said):
            league_from(parser.parse_args(["--data", "x", "--set", wrong]))


def test_what_the_desk_says_of_its_stand_in_is_told_of_the_datas_venue():
    one = SimpleNamespace(looks=4, said={"stale": "No spot quote yet. Waiting for Bybit."})
    line = SimpleNamespace(
        entrant=SimpleNamespace(name="carry"), each=[one], stood=Counter(stale=4), refused=Counter()
    )
    assert stood_table([line], {}, ["binance"])["rows"][0][-1].endswith("Waiting for Binance.")
    assert stood_table([line], {})["rows"][0][-1].endswith("Waiting for Bybit.")
