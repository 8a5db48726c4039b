"""The bar over everything."""

import math
from types import SimpleNamespace

import pytest
from chart_rig import NAN, NOW_NS, fill_book, make_context, make_pair, stream
from msgspec.structs import replace
from PySide6.QtCore import Qt

from basisdesk.config import Ui
from basisdesk.ui.figure import Room
from basisdesk.ui.lights import LIGHTS_MAX, Light, Lights, merged
from basisdesk.ui.theme import DARK, theme_for
from basisdesk.ui.topbar import TopBar, reading_of


def make_bar(qtbot, context, width=1600, theme=DARK) -> TopBar:
    bar = TopBar(context, theme)
    qtbot.addWidget(bar)
    bar.resize(width, bar.sizeHint().height())
    bar.show()
    bar.refresh()
    return bar


def texts(bar) -> dict[str, str]:
    return {name: figure.text for name, figure in bar._figures.items()}


def badges(bar) -> list[str]:
    return [badge.text() for badge in bar._badges if not badge.isHidden()]


def test_it_tells_the_trade_in_one_line(qtbot):
    bar = make_bar(qtbot, make_context(make_pair()))
    assert bar._name.text() == "ADA ▾"
    assert bar._legs.text() == "Bybit spot · Bybit perp"
    assert texts(bar) == {
        "spot": "Spot  bid / ask 0.36398 / 0.36402 0.1 s",
        "perp": "Perp  bid / ask 0.36648 / 0.36652 0.1 s",
        "open": "Open basis +67.6 bp at 10,000 ADA",
        "close": "Close basis +69.8 bp",
        "fair": "Fair −4.5 bp z +2.7",
        "trip": "Round trip 33.3 bp",
        "funding": "Funding +0.0184 % per 8 h · +20.1 %/y · 02:14:33",
    }


@pytest.mark.parametrize(
    ("mode", "word"), [("simulated", "SIMULATED"), ("replay", "REPLAY"), ("live", "LIVE")]
)
def test_what_it_is_stands_there_always(qtbot, mode, word):
    bar = make_bar(qtbot, make_context(make_pair(), mode))
    assert badges(bar) == [word, "PAPER"]
    assert bar._hatched == (mode != "live")
    assert bar.sizeHint().height() == 56 + (4 if bar._hatched else 0)
    bar.resize(900, bar.height())
    assert badges(bar) == [word, "PAPER"]
    assert not bar.grab().isNull()


@pytest.mark.parametrize("width", [1280, 1366, 1440, 1600, 1920, 2560])
@pytest.mark.parametrize("price", [0.364, 64_123.4])
def test_nothing_is_cut(qtbot, width, price):
    pair = make_pair()
    for leg in (pair.spot, pair.perp):
        leg.bid, leg.ask = price, price + 0.1
        fill_book(leg)
    bar = make_bar(qtbot, make_context(pair), width)
    qtbot.wait(1)
    right = 0
    for figure in (f for f in bar._figures.values() if not f.isHidden()):
        assert figure.width() >= figure.width_in(figure._room)
        assert figure.x() >= right
        right = figure.x() + figure.width()
    assert right <= bar._feeds.x()
    box = bar.halt_box
    assert box.x() + box.width() <= width
    shown = [part for part in (box, box.button, box.state) if part.isVisibleTo(bar)]
    assert box.button in shown  # the word beside it may go while all is calm, Halt never
    for part in shown:
        assert part.width() >= part.sizeHint().width()
    for badge in bar._badges[:2]:
        assert badge.width() >= badge.sizeHint().width()
        assert badge.x() + badge.width() <= bar._figures["spot"].x()


def test_at_1280_every_figure_is_still_there(qtbot):
    bar = make_bar(qtbot, make_context(make_pair()), 1280)
    assert all(figure._room < Room.GONE for figure in bar._figures.values())


def test_a_narrow_or_a_large_type_bar_keeps_what_matters(qtbot):
    bar = make_bar(qtbot, make_context(make_pair()), 900, theme_for(Ui(font_scale=1.5)))
    rooms = {name: figure._room for name, figure in bar._figures.items()}
    assert rooms["trip"] == rooms["fair"] == Room.GONE
    assert rooms["open"] < Room.GONE


def test_badges_are_never_cut(qtbot):
    bar = make_bar(qtbot, make_context(make_pair()), 780)
    qtbot.wait(1)
    for badge in bar._badges[:2]:
        assert badge.width() >= badge.sizeHint().width()


def test_a_bar_that_grows_shows_more_again(qtbot):
    bar = make_bar(qtbot, make_context(make_pair()), 1000)
    assert bar._step > 0
    bar.resize(1900, bar.height())
    assert bar._step == 0


def test_a_stale_leg_is_dimmed_and_ages_without_news(qtbot):
    pair = make_pair()
    context = make_context(pair, "live")
    bar = make_bar(qtbot, context)
    assert not bar._figures["perp"].stale
    context.clock.advance(4.1)
    pair.spot.quote_ns = NOW_NS + 4_000_000_000
    bar.refresh()
    assert bar._figures["perp"].text.endswith("4.2 s")
    assert bar._figures["perp"].stale
    assert not bar._figures["spot"].stale


def test_in_a_replay_time_is_the_tapes(qtbot):
    context = make_context(make_pair(), "replay")
    bar = make_bar(qtbot, context)
    context.clock.advance(3600)
    bar.refresh()
    assert bar._figures["perp"].text.endswith("0.1 s")


def test_a_lost_quote_shows_no_price(qtbot):
    pair = make_pair()
    bar = make_bar(qtbot, make_context(pair))
    pair.perp.clear_quote()
    bar.refresh()
    assert bar._figures["perp"].text == "Perp  bid / ask – / – no quote"


def test_a_thin_book_is_said(qtbot):
    pair = make_pair()
    fill_book(pair.spot, 9_000.0)  # of 10,000
    bar = make_bar(qtbot, make_context(pair))
    assert texts(bar)["open"] == "Open basis – book too thin"


def test_unknown_funding_is_a_dash(qtbot):
    pair = make_pair()
    pair.perp.funding.rate, pair.perp.funding.next_ms, pair.perp.funding.interval_h = NAN, 0, 0.0
    bar = make_bar(qtbot, make_context(pair))
    assert texts(bar)["funding"] == "Funding – –"


def test_without_a_pair_nothing_is_made_up(qtbot):
    bar = make_bar(qtbot, make_context(None))
    assert bar._name.text() == "No pair ▾"
    assert all(text.endswith("–") for text in texts(bar).values())


def test_halt_asks_to_halt_and_then_to_resume(qtbot):
    context = make_context(make_pair())
    bar = make_bar(qtbot, context)
    button, risk = bar.halt_box.button, context.engine.desk.risk
    assert button.text() == "Halt  Ctrl+."
    assert bar.halt_box.state.text() == "active"
    with qtbot.waitSignal(bar.halt_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    risk.state, risk.reason, risk.since_ns = "halted", "drawdown 10.2 % (limit 10 %)", NOW_NS
    risk.resume = "Press Resume to go on."
    bar.refresh()
    assert button.text() == "Resume\u2026"
    assert bar.halt_box.state.text() == "HALTED"
    assert bar.halt_box.since.text().startswith("since ")
    assert bar.halt_box.reason.text() == "drawdown 10.2 % (limit 10 %)"
    assert "Press Resume to go on." in bar.halt_box.state.toolTip()
    with qtbot.waitSignal(bar.resume_requested), qtbot.assertNotEmitted(bar.halt_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    risk.state = "active"
    bar.refresh()
    assert button.text() == "Halt  Ctrl+."


def test_reducing_is_said_and_can_be_resumed_or_halted(qtbot):
    context = make_context(make_pair())
    bar = make_bar(qtbot, context)
    box = bar.halt_box
    assert not box.resume_action.isEnabled()
    risk = context.engine.desk.risk
    risk.state, risk.reason, risk.since_ns = "reducing", "quotes are 61 s old", NOW_NS
    bar.refresh()
    assert box.state.text() == "REDUCING"
    assert box.button.text() == "Halt  Ctrl+."
    assert box.resume_action.isEnabled()
    assert box.halt_action.isEnabled()
    with qtbot.waitSignal(bar.flatten_requested):
        box.flatten_action.trigger()
    with qtbot.waitSignal(bar.resume_requested):
        box.resume_action.trigger()


@pytest.mark.parametrize("width", [1280, 1600])
def test_halted_or_reducing_cuts_nothing(qtbot, width):
    context = make_context(make_pair())
    risk = context.engine.desk.risk
    risk.state, risk.since_ns = "reducing", NOW_NS
    risk.reason = "Bybit perp ADAUSDT quote is 61.2 s old (limit 60 s), and more is wrong besides"
    bar = make_bar(qtbot, context, width)
    qtbot.wait(1)
    box = bar.halt_box
    assert box.x() + box.width() <= width
    assert box.button.width() >= box.button.sizeHint().width()
    assert box.state.width() >= box.state.sizeHint().width()
    shown = [figure for figure in bar._figures.values() if not figure.isHidden()]
    assert shown
    assert all(figure.width() >= figure.width_in(figure._room) for figure in shown)


def test_a_named_account_is_told_beside_the_badges(qtbot):
    context = make_context(make_pair())
    context.status.account = "scalps"
    bar = make_bar(qtbot, context)
    assert badges(bar) == ["SIMULATED", "PAPER", "scalps"]


def test_each_stream_has_a_light_and_its_words(qtbot):
    context = make_context(make_pair())
    context.engine.market.streams.update(
        a=stream("orderbook.1.X"), b=stream("orderbook.50.X", "down", "Refused: <b>bad topic</b>")
    )
    bar = make_bar(qtbot, context)
    assert bar._lights.states == ["live", "down"]
    assert bar._lights.accessibleName() == "Feeds: 1 of 2 live"
    tip = bar._lights.toolTip()
    assert "bybit.spot/orderbook.50.X: down, heard 0.1 s ago. Refused: &lt;b&gt;" in tip
    assert bar._lag.text() == "3 ms"


def test_many_streams_are_shown_by_the_worst_of_each_connection(qtbot):
    lights = [Light(f"a/{i}", "live", "") for i in range(LIGHTS_MAX)]
    lights += [Light("b/1", "live", ""), Light("b/2", "stale", ""), Light("c/1", "odd", "")]
    assert [(light.name, light.state) for light in merged(lights)] == [
        ("a", "live"), ("b", "stale"), ("c", "odd"),
    ]  # fmt: skip
    row = Lights(DARK)
    qtbot.addWidget(row)
    row.show_lights(lights)
    assert row.states == ["live", "stale", "odd"]


def test_every_state_has_its_own_look(qtbot):
    pictures = []
    for state in ("live", "acked", "stale", "resync", "down"):
        row = Lights(DARK)
        qtbot.addWidget(row)
        row.show_lights([Light("a/b", state, "")])
        row.resize(row.sizeHint())
        pictures.append(row.grab().toImage())
    assert all(a != b for i, a in enumerate(pictures) for b in pictures[i + 1 :])
    assert not math.isnan(len(pictures))


def test_a_connection_that_never_came_up_has_a_light_of_its_own(qtbot):
    context = make_context(None)
    bar = make_bar(qtbot, context)
    engine = context.engine
    engine.market.links = {
        "bybit.spot": SimpleNamespace(state="down", reason="name lookup failed"),
        "bybit.linear": SimpleNamespace(state="connecting", reason=""),
    }
    bar.refresh()
    assert bar._lights.states == ["down", "connecting"]
    assert "name lookup failed" in bar._lights.toolTip()


def test_the_basis_belongs_to_the_quotes_beside_it(qtbot):
    pair = make_pair()
    pair.now = replace(pair.now, mean_bp=pair.now.mid_bp - 8.1, sd_bp=3.0, z=2.7)
    bar = make_bar(qtbot, make_context(pair))
    pair.perp.bid, pair.perp.ask = 0.36748, 0.36752  # after the kept reading
    fill_book(pair.perp)
    bar.refresh()
    reading = reading_of(pair)
    said = texts(bar)
    assert reading.open_bp == pytest.approx(1e4 * (0.36748 / 0.36402 - 1))
    assert reading.close_bp == pytest.approx(1e4 * (0.36752 / 0.36398 - 1))
    assert said["open"].startswith(f"Open basis +{reading.open_bp:.1f} bp")
    assert said["close"] == f"Close basis +{reading.close_bp:.1f} bp"
    mid_bp = 1e4 * (0.3675 / 0.364 - 1)
    assert reading.z == pytest.approx((mid_bp - pair.now.mean_bp) / 3.0)
    spread = reading.close_bp - reading.open_bp
    assert reading.round_trip_bp == pytest.approx(pair.fees_bp() + spread)


def test_after_a_fault_no_button_looks_live(qtbot):
    context = make_context(make_pair())
    bar = make_bar(qtbot, context)
    context.status.fault_ns = NOW_NS
    bar.refresh()
    box = bar.halt_box
    assert (box.state.text(), box.button.text()) == ("HALTED", "Halted")
    assert not box.button.isEnabled()
    assert not box.resume_action.isEnabled()
    assert not box.flatten_action.isEnabled()
