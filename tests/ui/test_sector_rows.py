"""Sectors as texts: cells, ends of lines, the rotation block, the map, tips."""

import math

import numpy as np
import pytest
from sector_view import NAN, T0_MS, make_view, row

from basisdesk.scan.sector_states import NO_ROTATION, sentence
from basisdesk.scan.words import SectorView
from basisdesk.ui import sector_rows as rows


def test_figures_carry_their_sign_and_unknown_ones_are_a_dash():
    assert rows.bp_text(-0.49) == "\u22120.49"
    assert rows.z_text(1.55) == "+1.6"
    assert rows.pct_text(0.0) == "0.0"
    assert rows.bp_text(NAN) == rows.z_text(NAN) == "\u2013"
    assert rows.liquid_text(row()) == "5 of 7"


def test_only_a_state_has_a_since():
    hot = row(state="hot", since_ms=T0_MS)
    assert rows.since_text(hot, utc=True) == "2026-09-18 00:00"
    assert rows.since_text(row(since_ms=T0_MS), utc=True) == "\u2013"
    assert rows.since_text(row(state="cold"), utc=True) == "\u2013"


def test_states_are_told_in_words_and_an_unknown_one_is_not_called_calm():
    assert rows.state_text(row(state="hot")) == "longs crowd in"
    assert rows.state_text(row(state="cold", z=NAN)) == "shorts crowd in"
    assert rows.state_text(row()) == "calm"
    assert rows.state_text(row(z=NAN)) == "\u2013"


def test_ends_name_each_known_line_with_its_last_figure():
    view = make_view(names=("L1", "DeFi"))
    assert [(end.name, end.text) for end in rows.ends_of(view)][1] == ("DeFi", "DeFi +1.9")
    view.z_lines["L1"][:] = np.nan
    assert [end.name for end in rows.ends_of(view)] == ["DeFi"]
    view.z_lines["DeFi"][-1] = np.nan
    assert rows.ends_of(view)[0].text == "DeFi \u2013"
    assert rows.ends_of(SectorView(rows=(row(),))) == []


def test_the_rotation_block_tells_states_first_and_the_strongest_of_them_first():
    hot = [row(f"S{i}", state="hot", z=float(i), words=f"S{i} is hot.") for i in range(5)]
    near = row("L1", z=-9.0, words="L1 under the line by floating rates.")
    calm = row("L2")
    said = rows.rotation_lines(SectorView(rows=(calm, near, *hot)))
    assert [line.text for line in said] == [
        "S4 is hot.",
        "S3 is hot.",
        "S2 is hot.",
        "And S1 +1.0, S0 0.0.",
        "L1 under the line by floating rates.",
    ]
    assert [line.tone for line in said] == ["text"] * 4 + ["muted"]


def test_the_rotation_block_says_when_there_is_nothing():
    said = rows.rotation_lines(SectorView(rows=(row(),)))
    assert [line.text for line in said] == ["No sector is over the line: nothing crowds in."]
    assert rows.rotation_lines(SectorView()) == []


def test_what_is_not_known_is_not_called_calm():
    lost = [row(name, z=NAN, words=f"{name}: 3 liquid coins, 4 are needed.") for name in ("A", "B")]
    said = rows.rotation_lines(SectorView(rows=tuple(lost)))
    assert [line.text for line in said] == ["Too little is known of A, B."]
    said = rows.rotation_lines(SectorView(rows=(row(), *lost)))
    assert said[0].text.startswith("No sector is over the line")
    assert said[1].text == "Too little is known of A, B."


def test_a_sector_in_line_is_known_by_the_sentence_the_scanner_writes():
    calm = row(words=sentence("DeFi", NO_ROTATION, 0.1))
    assert len(rows.rotation_lines(SectorView(rows=(calm,)))) == 1


def test_the_map_is_dated_and_names_the_coins_it_does_not_know():
    view = make_view(unmapped=("QQQ", "XRP"))
    assert rows.map_text(view) == "Sectors as of 2026-11-21, 2 coins in none"
    assert "without a signal: QQQ, XRP." in rows.map_tip(view)
    assert rows.map_text(make_view(unmapped=("QQQ",))).endswith("1 coin in none")
    assert rows.map_text(make_view()) == "Sectors as of 2026-11-21"
    assert rows.map_text(SectorView()) == rows.map_tip(SectorView()) == ""


def test_the_scale_leaves_out_what_is_rare():
    line = np.concatenate((np.full(990, 2.0), np.full(10, 90.0), [np.nan]))
    assert rows.scale_bp([line]) == pytest.approx(2.0)
    assert rows.scale_bp([np.zeros(5)]) == rows.scale_bp([]) == 0.5


def test_a_cell_says_when_and_how_much():
    said = rows.cell_tip("DeFi", T0_MS, -1.25, utc=True)
    assert said.startswith("DeFi, 2026-09-18 00:00 UTC: \u22121.25 bp per 8 h, longs paid less")
    assert "not known" in rows.cell_tip("DeFi", T0_MS, math.nan, utc=True)
