"""Openings in words: what is kept, in which order, how a figure reads, what a CSV holds."""

import csv
import io
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scan_rig import made_up_view, with_nets

from basisdesk.scan.view import ScanView
from basisdesk.scan.words import FRESH, MISSING, STALE, Combo, Trigger
from basisdesk.ui.glossary import TERMS
from basisdesk.ui.scanner_columns import TICKET, Terms, cell_detail, scan_columns
from basisdesk.ui.scanner_csv import csv_cell, csv_text, utc_text
from basisdesk.ui.scanner_rows import (
    Keep,
    breakeven_detail,
    breakeven_text,
    choice_of,
    compact_text,
    empty_text,
    haystack,
    hours_text,
    keep_mask,
    look_of,
    net_detail,
    pair_choice,
    percentile_text,
    ranks,
    raw_only_detail,
    raw_only_mask,
    same_combos,
    sorted_rows,
    why_dim,
)
from basisdesk.ui.scanner_speed import made_up_combos, made_up_openings

COLUMNS = {column.key: column for column in scan_columns(Terms())}


@pytest.fixture
def some():
    """The 44 combinations of ADA, all fresh, of a size that fits."""
    o = made_up_openings(2, made_up_combos(("ADA",)))
    count = len(o)
    return replace(
        o,
        state=np.zeros(count, dtype=np.int8),
        capacity=np.full(count, 50_000.0),
        flags=("neutral",) * count,
    )


def with_(o, **columns):
    """The same openings with single figures changed: name=(place, value)."""
    changed = {}
    for name, (place, value) in columns.items():
        array = getattr(o, name).copy()
        array[place] = value
        changed[name] = array
    return replace(o, **changed)


def text(key, o, at, columns=COLUMNS):
    return columns[key].text(o, at)


# --- order and filters


def test_what_has_no_value_stands_last_both_ways_and_equals_keep_their_order():
    values = np.array([2.0, math.nan, 5.0, 2.0, -1.0, math.inf, math.nan])
    rows = np.arange(7)
    assert sorted_rows(values, rows, descending=True).tolist() == [5, 2, 0, 3, 4, 1, 6]
    assert sorted_rows(values, rows, descending=False).tolist() == [4, 0, 3, 2, 5, 1, 6]
    assert sorted_rows(values, rows[[3, 1, 0]], descending=True).tolist() == [3, 0, 1]


def test_names_sort_as_the_alphabet_does():
    assert ranks(["ETH", "ADA", "ETH", "BTC"]).tolist() == [2.0, 0.0, 2.0, 1.0]


def test_every_column_sorts_reads_and_stamps_without_a_warning():
    o = made_up_openings(3)
    rows = np.arange(len(o))
    for unit in ("8h", "interval", "year"):
        columns = scan_columns(Terms(unit=unit))
        keys = [column.key for column in columns]
        assert len(keys) == len(set(keys)) == 32
        assert keys[-1] == TICKET
        for column in columns:
            assert sorted_rows(column.values(o), rows, descending=True).shape == rows.shape
            assert column.stamp(o, rows[:40]).shape[1] == 40
            assert all(isinstance(column.text(o, at), str) for at in range(40))
            assert column.key == TICKET or column.tip.endswith(".")


def test_stamps_move_whenever_the_text_does():
    one, two = made_up_openings(4), made_up_openings(5)
    rows = np.arange(300)
    for column in COLUMNS.values():
        old, new = column.stamp(one, rows), column.stamp(two, rows)
        same = ((old == new) | (np.isnan(old) & np.isnan(new))).all(axis=0)
        for at in np.flatnonzero(same).tolist():
            assert column.text(one, at) == column.text(two, at), column.key


def test_chips_keep_a_kind_gains_confirmed_and_triggered(some):
    lines = haystack(some.combos)
    kinds = {
        kind: keep_mask(some, Keep(kind=kind), (), lines).sum()
        for kind in ("spot-perp", "perp-perp", "perp-spot")
    }
    assert kinds == {"spot-perp": 16, "perp-perp": 12, "perp-spot": 16}
    combo = some.combos[18]
    trigger = Trigger("gap", "ADA", combo.long, combo.short, 6.1, 6.1, 6.0, "both", "normal")
    assert np.flatnonzero(keep_mask(some, Keep(triggered=True), (trigger,), lines)).tolist() == [18]
    flagged = replace(some, flags=("confirmed", *some.flags[1:]))
    assert np.flatnonzero(keep_mask(flagged, Keep(confirmed=True), (), lines)).tolist() == [0]


def test_a_gain_must_be_fresh_and_fit(some):
    nets = np.full(len(some), -1.0)
    nets[:4] = 1.0
    o = with_(with_nets(some, nets), state=(1, STALE), capacity=(2, 9_000.0))
    o = with_(o, net_bp=(3, math.nan))
    kept = keep_mask(o, Keep(gain=True), (), haystack(o.combos))
    assert np.flatnonzero(kept).tolist() == [0]


def test_words_begin_words_and_all_of_them_must_be_there(some):
    lines = haystack(some.combos)

    def found(line):
        return int(keep_mask(some, Keep().search(line), (), lines).sum())

    assert found("ada") == 44
    assert found("OKX kraken") == 6  # spot and perp both ways, and two perps
    assert found("short") == 16
    assert found("it") == 0  # within "bybit", but no word begins with it
    assert found("ada btc") == 0


def test_keep_knows_when_nothing_is_left_out():
    assert Keep().all
    assert not Keep(gain=True).all
    assert not Keep().search("x").all
    assert len(Keep().search("a " * 99).words) == 12


def test_the_same_combinations_are_known_again(some):
    assert same_combos(None, None)
    assert not same_combos(None, some)
    assert same_combos(some, replace(some, combos=(*some.combos,)))
    assert not same_combos(some, replace(some, combos=some.combos[::-1]))


# --- words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (950.0, "950"), (9_400.0, "9.4 k"), (84_200.0, "84 k"), (410_000.0, "410 k"),
        (999_700.0, "1.0 M"), (6.12e6, "6.1 M"), (3.4e9, "3.4 B"), (math.nan, "\u2013"),
        (0.0, "0"), (9_960.0, "10 k"),
    ],
)  # fmt: skip
def test_amounts_are_compact(value, said):
    assert compact_text(value) == said


def test_spans_and_percentiles_read_as_people_say_them():
    assert [hours_text(h) for h in (0.001, 0.66, 1.7, 11.2, 60.0, math.nan)] == [
        "1 min", "40 min", "1.7 h", "11 h", "2.5 d", "\u2013",
    ]  # fmt: skip
    assert percentile_text(0.61) == "61st percentile"
    assert [percentile_text(n / 100).split()[0] for n in (2, 3, 11, 12, 13, 21, 0, 100)] == [
        "2nd", "3rd", "11th", "12th", "13th", "21st", "1st", "99th",
    ]  # fmt: skip
    assert percentile_text(math.nan) == ""


def test_break_even_in_payments_never_or_at_target(some):
    o = with_(some, payments=(0, 0.0), days=(0, 0.0))
    assert breakeven_text(o, 0) == "at target"
    o = with_(some, to_fair_bp=(0, 0.0), cost_bp=(0, 35.0), payments=(0, 2.4), days=(0, 1.0))
    assert breakeven_text(o, 0) == "3 payments \u00b7 1.0 d"
    assert breakeven_detail(o, 0) == ""
    assert breakeven_text(with_(o, payments=(0, 0.9)), 0) == "1 payment \u00b7 1.0 d"
    assert breakeven_text(with_(o, payments=(0, math.inf)), 0) == "never"
    assert breakeven_text(with_(o, payments=(0, math.nan)), 0) == "\u2013"
    hoped = with_(o, to_fair_bp=(0, 40.0), basis_half_life_h=(0, math.nan))
    assert "would bring 40.0 bp" in breakeven_detail(hoped, 0)
    assert "no half-life in our history" in breakeven_detail(hoped, 0)
    assert "half-life of 90" not in breakeven_detail(with_(hoped, basis_half_life_h=(0, 90.0)), 0)
    assert "3.8 d" in breakeven_detail(with_(hoped, basis_half_life_h=(0, 90.0)), 0)


def test_cells_carry_the_true_intervals_and_what_is_not_known_is_a_dash(some):
    at = next(i for i, c in enumerate(some.combos) if c.kind == "perp-perp")
    o = with_(some, interval_long_h=(at, 4.0), interval_short_h=(at, 8.0), z=(at, math.nan),
              rate_long=(at, -0.00004), rate_short=(at, 0.0001), rate_8h_bp=(at, 1.8),
              hazard=(at, 0.12), hazard_n=(at, 40), velocity_bp_h=(at, -0.3))  # fmt: skip
    assert text("interval", o, at) == "4 h \u00b7 8 h"
    assert text("legs", o, at) == "\u22120.0040 \u00b7 +0.0100"
    assert text("funding", o, at) == "+0.0180"
    assert text("z", o, at) == "\u2013"
    assert text("hazard", o, at) == "12 % of 40"
    assert text("hazard", with_(o, hazard_n=(at, 0)), at) == "\u2013"
    assert text("velocity", o, at) == "\u22120.30"
    spot = next(i for i, c in enumerate(o.combos) if c.kind == "spot-perp")
    assert "\u00b7" not in text("interval", o, spot)
    units = {c.key: c for c in scan_columns(Terms(unit="interval"))}
    assert units["funding"].header == "Funding /interval, %"
    assert text("funding", o, at, units) == text("legs", o, at)
    assert text("per8h", o, at, units) == "+0.0180"


def test_countdowns_of_both_legs_and_the_sooner_sorts(some):
    at = next(i for i, c in enumerate(some.combos) if c.kind == "perp-perp")
    now_ms = some.now_ns // 1_000_000
    o = with_(some, next_long_ms=(at, now_ms + 60_000), next_short_ms=(at, now_ms + 3_600_000))
    assert text("next", o, at) == "00:01:00 \u00b7 01:00:00"
    assert COLUMNS["next"].values(o)[at] == 60.0
    gone = with_(o, next_long_ms=(at, 0), next_short_ms=(at, 0))
    assert text("next", gone, at) == "\u2013"
    assert math.isnan(COLUMNS["next"].values(gone)[at])


def test_depth_says_when_only_the_touch_is_known_and_warns_when_it_does_not_fit(some):
    o = with_(some, capacity=(0, 9_000.0), touch_only=(0, True))
    assert text("depth", o, 0) == "\u2265 9.0 k"
    assert COLUMNS["depth"].meaning(o, 0) == "warn"
    assert COLUMNS["depth"].meaning(o, 1) == ""
    assert look_of(o, 0) == "stale"
    assert "9.0 k of 10,000" in why_dim(o, 0)
    assert "No depth" in cell_detail(COLUMNS["coin"], o, 0)


def test_old_and_missing_rows_are_dimmed_with_their_reason(some):
    o = with_(some, state=(0, STALE), age_s=(0, 18.4))
    assert look_of(o, 0) == "stale"
    assert "18.4 s old" in why_dim(o, 0)
    assert COLUMNS["age"].meaning(o, 0) == "warn"
    o = with_(some, state=(1, MISSING))
    assert why_dim(o, 1).startswith("No price of ")
    assert look_of(some, 0) == why_dim(some, 0) == ""


def test_only_what_could_be_had_is_green(some):
    o = with_nets(some, np.full(len(some), 2.0))
    assert COLUMNS["net"].meaning(o, 0) == "gain"
    assert text("net", o, 0) == "\u25b2 +2.0"
    assert COLUMNS["net"].meaning(with_(o, state=(0, STALE)), 0) == ""
    assert COLUMNS["net"].meaning(with_nets(some, np.full(len(some), -2.0)), 0) == "muted"


def parts(o, at, gain, funding, borrow, cost):
    net = gain + funding - borrow - cost
    return with_(o, gain_bp=(at, gain), funding_bp=(at, funding), borrow_bp=(at, borrow),
                 cost_bp=(at, cost), net_bp=(at, net), net_8h_bp=(at, net / 3))  # fmt: skip


def test_the_net_tells_its_whole_sum(some):
    said = net_detail(parts(some, 0, 0.0, 44.8, 0.0, 24.9), 0)
    assert said == (
        "0.0 convergence + 44.8 funding in 24 h \u2212 24.9 round trip = +19.9 bp, +6.6 per 8 h; "
        "the ticket's entry rule asks more: it counts no funding."
    )
    o = parts(some, 0, -4.5, -3.2, 0.4, 24.9)
    assert net_detail(o, 0) == (
        "\u22124.5 convergence \u2212 3.2 funding in 24 h \u2212 0.4 borrow \u2212 24.9 round trip "
        "= \u221233.0 bp, \u221211.0 per 8 h."
    )
    for key in ("net", "hold"):
        assert cell_detail(COLUMNS[key], o, 0) == net_detail(o, 0)
    # rounded parts that do not add up get another decimal
    assert "0.04 convergence + 44.84 funding" in net_detail(parts(some, 0, 0.04, 44.84, 0, 0.12), 0)
    assert net_detail(with_(o, net_bp=(0, math.nan)), 0) == ""
    assert text("gain", o, 0) == "\u22124.5"
    assert text("carry", o, 0) == "\u22123.2"
    assert text("borrow", o, 0) == "0.4"
    assert COLUMNS["gain"].name == "Convergence counted"
    assert COLUMNS["carry"].name == "Funding in the hold"


def test_a_gap_that_is_raw_only_says_so_in_its_row(some):
    at = next(i for i, c in enumerate(some.combos) if c.kind == "perp-perp")
    o = replace(
        with_(some, rate_long=(at, 0.0007), rate_short=(at, 0.0001), rate_8h_bp=(at, 1.0),
              interval_long_h=(at, 8.0), interval_short_h=(at, 1.0)),
        gap_line_bp=6.0,
    )  # fmt: skip
    said = "Raw only: 8 h against 1 h. As told the rates are 0.0600 % apart, per 8 h 0.0100 %."
    assert raw_only_detail(o, at) == cell_detail(COLUMNS["coin"], o, at) == said
    assert raw_only_mask(o)[at]
    assert COLUMNS["interval"].meaning(o, at) == "warn"
    for true in (with_(o, rate_8h_bp=(at, 6.0)), with_(o, rate_short=(at, 0.0002)),
                 replace(o, gap_line_bp=math.nan)):  # fmt: skip
        assert raw_only_detail(true, at) == COLUMNS["interval"].meaning(true, at) == ""
        assert not raw_only_mask(true)[at]
    spot = next(i for i, c in enumerate(o.combos) if c.kind == "spot-perp")
    assert raw_only_detail(o, spot) == ""
    found = [raw_only_detail(o, i) != "" for i in range(len(o))]
    assert raw_only_mask(o).tolist() == found


def test_tips_of_the_columns_hold_no_figure_that_could_be_read_as_one():
    own = [c for c in COLUMNS.values() if c.tip and c.tip not in TERMS.values()]
    assert len(own) > 15
    for column in own:
        assert not re.search(r"[+\u2212]\d|\d\.\d|: \d", column.tip), column.tip


# --- the ticket


def test_an_opening_becomes_a_pair_a_direction_and_a_size():
    combos = (
        Combo("ADA", "spot-perp", "okx:spot:ADA-USDT", "bybit:perp:ADAUSDT"),
        Combo("ADA", "perp-perp", "okx:perp:ADA-USDT-SWAP", "bybit:perp:ADAUSDT"),
        Combo("ADA", "perp-spot", "bybit:perp:ADAUSDT", "okx:spot:ADA-USDT"),
    )
    o = replace(made_up_openings(1, combos), flags=("neutral", "contradicted", ""))
    first, second, third = (choice_of(o, at) for at in range(3))
    assert (first.pair, first.direction, first.size) == (combos[0][2:], 1, 10_000.0)
    assert (second.pair, second.size, second.halved) == (combos[1][2:], 5_000.0, True)
    assert "ADA" in second.note
    assert (third.pair, third.direction) == ((combos[2].short, combos[2].long), -1)


def test_a_cell_of_the_matrix_takes_the_side_that_is_paid():
    pair = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
    assert pair_choice(*pair, 1.0, 5e3, short_spot=True).direction == 1
    assert pair_choice(*pair, -1.0, 5e3, short_spot=True).direction == -1
    assert pair_choice(*pair, -1.0, 5e3, short_spot=False).direction == 1
    assert pair_choice(*pair, math.nan, 5e3, short_spot=True).direction == 1


# --- empty states


def test_empty_states_teach():
    assert "live or a simulated desk" in empty_text(None, Keep(), 0.06)
    assert empty_text(ScanView(), Keep(), 0.06) == "Waiting for the venues' first pages."
    view = made_up_view(coins=("ADA", "ETH"))
    view.openings = with_nets(view.openings, np.full(len(view.openings), -1.8))
    view.openings = replace(view.openings, state=np.zeros(len(view.openings), dtype=np.int8),
                            capacity=np.full(len(view.openings), 1e6))  # fmt: skip
    view.strip = replace(view.strip, worth=0)
    said = empty_text(view, Keep(gain=True), 0.06)
    assert "Nothing is worth trading now: that is the normal state." in said
    assert "Nearest: ADA Binance spot / perp, \u22121.8 bp per 8 h." in said
    assert "0.06 %" in empty_text(view, Keep(triggered=True), 0.06)
    assert "sector" in empty_text(view, Keep(confirmed=True), 0.06)
    assert "\u201czzz\u201d" in empty_text(view, Keep().search("zzz"), 0.06)
    assert empty_text(view, Keep(kind="perp-spot"), 0.06).endswith(".")


# --- CSV


def test_cells_of_a_csv_are_exact_and_cannot_run():
    assert csv_cell(0.1 + 0.2) == "0.30000000000000004"
    assert csv_cell(np.float64(-1.5)) == "-1.5"
    assert csv_cell(7) == "7"
    assert csv_cell(math.nan) == ""
    assert csv_cell(math.inf) == "inf"
    assert csv_cell("=1+1") == "'=1+1"
    assert csv_cell("@x") == "'@x"
    assert csv_cell("-x,y") == '"\'-x,y"'
    assert csv_cell('a"b') == '"a""b"'
    assert csv_cell("a\r\nb") == '"a\r\nb"'


def test_a_csv_reads_back_to_the_very_figures(some):
    columns = [c for c in COLUMNS.values() if c.key in ("coin", "long", "net", "breakeven", "age")]
    o = with_(some, age_s=(1, 0.1 + 0.2), payments=(1, math.inf), net_8h_bp=(3, math.nan))
    said = csv_text(columns, o, np.array([3, 1]))
    assert said.endswith("\r\n")
    assert said.count("\r\n") == said.count("\n") == 3
    rows = list(csv.DictReader(io.StringIO(said, newline="")))
    assert rows[0]["net_bp_per_8h"] == ""
    assert rows[1]["break_even_payments"] == "inf"
    assert float(rows[1]["age_s"]) == 0.1 + 0.2
    assert rows[1]["long"] == o.combos[1].long
    assert rows[0]["state"] == "fresh"


def test_a_csv_has_every_field_with_its_unit_whatever_is_on_the_screen(some):
    spot = next(i for i, c in enumerate(some.combos) if c.kind == "spot-perp")
    o = with_(some, gain_bp=(spot, 1.5), borrow_bp=(spot, 0.0))
    whole = csv_text(tuple(COLUMNS.values()), o, np.array([spot]))
    for unit in ("8h", "interval", "year"):
        few = [c for c in scan_columns(Terms(unit=unit)) if c.key in ("coin", "funding", "age")]
        assert csv_text(few, o, np.array([spot])) == whole
    (row,) = csv.DictReader(io.StringIO(whole, newline=""))
    units = ("_bp", "_pct_per_8h", "_pct_per_year", "_per_8h", "_per_h", "_fraction_per_interval",
             "_fraction", "_h", "_ms", "_s", "_sd", "_usdt", "_days", "_payments", "_cases",
             "_flag", "_utc")  # fmt: skip
    names = {"coin", "long", "short", "sector", "state"}
    assert {name for name in row if not name.endswith(units)} == names
    assert {"depth_usdt", "size_usdt", "open_interest_usdt", "rate_short_fraction_per_interval",
            "net_in_hold_bp", "funding_in_hold_bp", "round_trip_bp"} <= set(row)  # fmt: skip
    assert row["interval_long_h"] == row["rate_long_fraction_per_interval"] == ""  # a spot leg
    assert float(row["interval_short_h"]) == o.interval_short_h[spot]
    assert (row["size_usdt"], row["hold_h"]) == ("10000.0", "24.0")
    assert row["exported_utc"] == utc_text(o.now_ns) == "2026-09-18T09:14:22.000Z"
    assert (row["convergence_counted_bp"], row["borrow_in_hold_bp"]) == ("1.5", "0.0")


def test_all_columns_of_all_rows_export():
    o = made_up_openings(6)
    said = csv_text(tuple(COLUMNS.values()), o, np.arange(len(o)))
    rows = list(csv.reader(io.StringIO(said, newline="")))
    assert len(rows) == 2_641
    assert len({len(row) for row in rows}) == 1


def test_the_scanner_has_its_terms():
    for name in ("Net /8h", "True interval", "Funding gap", "Composite", "Sector flag"):
        assert name in TERMS
    assert FRESH == 0
