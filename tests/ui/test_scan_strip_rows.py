"""The strip over the scanner in words: what each figure stands on is said beside it."""

import re
from dataclasses import replace

import pytest

from basisdesk.config import Scanner
from basisdesk.scan.words import Strip
from basisdesk.ui.scan_strip_rows import captions, strip_figures, strip_tips

SCANNER = Scanner()
STRIP = Strip(
    coins=60, venues=4, combos=2_640, worth=2, worth_rows=3, over_gap=11, fail_cost=9,
    fail_depth=3, raw_only=4, btc_eth_bp=1.2, btc_eth_on="binance", market_8h_bp=0.94,
    market_percentile=0.08, market_days=31.3,
)  # fmt: skip


def told(name, **changes):
    return strip_figures(replace(STRIP, **changes), SCANNER, 0)[name]


def test_what_is_worth_trading_shares_no_leg():
    assert told("worth")[:3] == ("2", "share no leg, of 3 rows", "of 3 rows")
    assert told("worth", worth=1).aside == "shares no leg, of 3 rows"
    assert told("worth", worth=3)[:2] == ("3", "after all costs")
    assert told("worth", worth=0, worth_rows=0)[:2] == ("0", "after all costs")
    assert strip_tips(STRIP, SCANNER)["worth"].startswith("2 that share no leg, of 3 openings")


def test_gaps_that_are_raw_only_are_told_apart():
    assert captions(SCANNER)["gap"] == "Gap over 0.06 % /8h"
    assert told("gap")[:3] == (
        "11", "9 fail on cost, 3 on depth; 4 more raw only", "9 cost, 3 depth, 4 raw",
    )  # fmt: skip
    assert told("gap", raw_only=0)[:2] == ("11", "9 fail on cost, 3 on depth")
    assert told("gap", over_gap=0)[:3] == ("0", "4 more raw only", "4 raw")
    assert "4 more are over it only as told" in strip_tips(STRIP, SCANNER)["gap"]


@pytest.mark.parametrize(
    ("on", "bp", "aside", "tip"),
    [
        ("binance", 1.2, "on Binance, normal under 0.05 %", "on Binance"),
        ("okx", -5.2, "on OKX, over 0.05 %", "on OKX"),
        ("", 1.2, "median of venues, normal under 0.05 %", "median of the venues"),
    ],
)
def test_btc_against_eth_says_where(on, bp, aside, tip):
    assert told("btc_eth", btc_eth_on=on, btc_eth_bp=bp).aside == aside
    assert tip in strip_tips(replace(STRIP, btc_eth_on=on), SCANNER)["btc_eth"]


def test_the_percentile_of_the_market_says_of_how_long():
    assert told("market").aside == "median per 8 h \u00b7 8th of 31 d"
    assert told("market").short == "8th of 31 d"
    assert told("market", market_days=2.66).short == "8th of 2.7 d"
    assert told("market", market_days=float("nan")).short == "8th percentile"
    assert told("market", market_percentile=float("nan")).aside == "median per 8 h"
    assert "8th of 31 d" in strip_tips(STRIP, SCANNER)["market"]


def test_tips_hold_no_figure_but_those_of_now_and_of_the_settings():
    shown = {"2", "3", "8", "31", "0.06", "4", "0.05", "8th"}
    for tip in strip_tips(STRIP, SCANNER).values():
        assert set(re.findall(r"\d[\d.]*\d|\d(?:th)?", tip)) <= shown, tip
        assert tip.endswith(".")
    assert set(strip_tips(Strip(), SCANNER)) == set(captions(SCANNER))
