"""The guide that ships inside: whole, closed in itself, and true where code can tell."""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields
from ui_rig import Rig

from basisdesk import config
from basisdesk.app import disk_guard
from basisdesk.app.desk_command import REPLAY_SPEEDS
from basisdesk.app.first_run import NAME as FIRST_RUN
from basisdesk.config import CHANNELS, FEES, Settings
from basisdesk.demo import faults, scenarios
from basisdesk.lab.report import session_tables
from basisdesk.playbook.autopilot_words import Limits
from basisdesk.playbook.shelf import USUAL
from basisdesk.scan import sector_states
from basisdesk.ui import halt_box, help_door, lab_door, lab_fields, library_door
from basisdesk.ui.help_pages import (
    DOCK_PAGES,
    GLOSSARY,
    INDEX,
    PAGES,
    anchor_of,
    headings,
    links,
    page_text,
    search,
    target_of,
)
from basisdesk.ui.resources import resource

D = Settings()
FOLDER = Path(resource("help/index.md")).parent


def test_the_contents_and_the_folder_agree_and_every_page_begins_with_its_title():
    assert {path.stem for path in FOLDER.iterdir()} == set(PAGES) - {GLOSSARY}
    for name, title in PAGES.items():
        first = headings(page_text(name))[0]
        assert (first.level, first.text) == (1, title), name


def test_every_page_is_reached_from_the_index_by_links():
    seen, todo = set(), [INDEX]
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            todo += [place[0] for _, link in links(page_text(page)) if (place := target_of(link))]
    assert seen - {""} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead_and_nothing_comes_from_outside(name):
    text = page_text(name)
    anchors = [each.anchor for each in headings(text)]
    assert len(anchors) == len(set(anchors))
    for image, link in links(text):
        if image:
            assert (FOLDER / link).resolve().is_relative_to(FOLDER)
            assert (FOLDER / link).is_file()
            continue
        place = target_of(link)
        assert place is not None, link
        page, anchor = place
        known = {each.anchor for each in headings(page_text(page or name))}
        assert not anchor or anchor in known, link
    assert not re.search(r"\w+://|<[a-zA-Z/]|data:|javascript:", text)


def test_f1_pages_exist_for_every_dock():
    for dock, (page, anchor) in DOCK_PAGES.items():
        known = {each.anchor for each in headings(page_text(page))}
        assert not anchor or anchor in known, dock


def test_links_that_are_no_pages_lead_nowhere():
    for link in ("https://a.b/", "../secret.md", "/etc/passwd", "file:///x", "nope.md", "", "keys"):
        assert target_of(link) is None
    assert target_of("#the-chart") == ("", "the-chart")
    assert anchor_of("The `grade` of a [fill](x.md)") == "the-grade-of-a-fill"
    with pytest.raises(KeyError):
        page_text("../../settings")


def test_search_wants_every_word_and_puts_headings_first():
    hits = search("liquidation")
    assert hits[0].page == "limits"
    assert hits[0].title == "What is not modelled: Liquidation"
    assert all("liquid" in (hit.title + page_text(hit.page)).casefold() for hit in hits)
    assert search("queue zebra") == []
    assert search("   ") == []
    assert search("x" * 5_000) == []
    assert any(hit.page == "limits" for hit in search("TAXES"))


def dotted(settings):
    """Every settings key of the code, "risk.drawdown_max"."""
    found = set()
    for section in fields(settings):
        part = getattr(settings, section.name)
        if hasattr(part, "__struct_fields__"):
            found |= {f"{section.name}.{key}" for key in part.__struct_fields__}
    return found


def test_every_settings_key_that_is_named_exists():
    keys = dotted(D)
    sections = {key.partition(".")[0] for key in keys}
    pattern = re.compile(rf"`((?:{'|'.join(sections)})\.[a-z_]+)(?: = [^`]*)?`")
    named = {key for page in PAGES for key in pattern.findall(page_text(page))}
    assert len(named) > 20
    assert named <= keys


# (page, what stands there, made from the code's own figure)
FACTS = [
    ("numbers", f"`risk.quote_age_ms_max`, {D.risk.quote_age_ms_max:,} ms"),
    ("numbers", f"`risk.leg_skew_ms_max`, {D.risk.leg_skew_ms_max} ms"),
    ("numbers", f"`risk.drawdown_max`, {D.risk.drawdown_max:.0%}".replace("%", " %")),
    ("numbers", f"`forecast.margin`, {100 * D.forecast.margin:.0f} %"),
    ("ticket", f"`risk.unhedged_s_max`, {D.risk.unhedged_s_max} s"),
    ("ticket", f"Leverage stops at {D.risk.leverage_max:g}"),
    ("positions", f"`risk.reserve`, {100 * D.risk.reserve:.0f} %"),
    ("scanner", f"`scanner.coins` ({len(config.COINS.split())} at first)"),
    ("scanner", f"`scanner.size`, {D.scanner.size:,.0f} USDT"),
    ("scanner", f"`scanner.hold_h`, {D.scanner.hold_h:g} hours"),
    ("scanner", f"`scanner.poll_s`, {D.scanner.poll_s:g} seconds"),
    ("scanner", f"two settlements beyond {sector_states.LINE:g} standard deviations"),
    ("forecast", f"`forecast.gain_bp`, {D.forecast.gain_bp:g} bp"),
    ("forecast", f"`forecast.stop_bp`, {D.forecast.stop_bp:g} bp"),
    ("forecast", f"`forecast.horizon_h`, {D.forecast.horizon_h:g} hours"),
    ("replay", f"{REPLAY_SPEEDS[0]:g} to {REPLAY_SPEEDS[1]:,.0f} times"),
    ("replay", f"`tape.disk_mb_max`, {D.tape.disk_mb_max:,} MB"),
    ("settings", f"`{FIRST_RUN}`"),
    ("settings", f"Bybit {FEES['bybit'].spot_taker} and {FEES['bybit'].perp_taker} for takers"),
    ("settings", f"`seed` {D.demo.seed}, `scenario` {D.demo.scenario}"),
    ("faults", f"one of {len(faults.fault_kinds())} faults"),
    ("faults", f"without a quote for {D.risk.stale_s_max} s"),
    ("faults", f"clock of {D.risk.clock_jump_s_max} s"),
    ("faults", f"nearer than {D.risk.liq_distance_min_pct:g} %"),
    ("faults", f"under {100 * D.risk.win_rate_min:.0f} % of at least {D.risk.win_rate_pairs}"),
    ("faults", f"drawdown of {100 * D.risk.drawdown_max:.0f} %"),
    ("faults", f"a day of {100 * D.risk.daily_loss_max:.0f} %"),
    ("limits", f"`paper.latency_ms`, {D.paper.latency_ms} ms"),
    ("troubleshooting", f"`ui.repaint_ms`, {D.ui.repaint_ms}"),
    ("keys", f"`{halt_box.HALT_KEY}`"),
    ("keys", f"`{halt_box.FLATTEN_KEY}`"),
    ("keys", f"`{lab_door.LAB_KEY}`"),
    ("keys", f"`{help_door.HELP_KEY}`"),
    ("keys", f"`{library_door.LIBRARY_KEY}`"),
    ("faults", f"Under {disk_guard.TAPE_STOP_MB} MB free recording stops"),
    ("faults", f"under {disk_guard.HALT_MB} MB no new pair"),
]


@pytest.mark.parametrize(("page", "said"), FACTS)
def test_figures_and_keys_are_those_of_the_code(page, said):
    assert said in page_text(page)


def test_names_are_those_of_the_code():
    forecast = page_text("forecast")
    assert [book.name for book in USUAL] == re.findall(r"^\| ([a-z-]+) \|", forecast, re.MULTILINE)
    assert Limits().pairs_max == 5
    assert "holds five pairs" in forecast
    lab = page_text("lab")
    assert all(f"| {study.key} |" in lab for study in lab_fields.STUDIES)
    assert "usdt depeg" in scenarios.SCENARIOS
    assert "crash" in scenarios.SCENARIOS
    assert set(CHANNELS) == {"bybit", "binance", "okx", "kraken"}
    named = set(re.findall(r"`([a-z]+)\.csv`", page_text("sessions")))
    assert len(named) == 4
    assert named <= set(session_tables([], Rig().engine))
