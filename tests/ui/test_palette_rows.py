"""What is typed into the palette finds what is meant: pure matching, no window."""

import random
import string

from basisdesk.ui.palette_rows import RECENT_MAX, PaletteEntry, Recent, found, marked


def entry(text, group="View", why="", keys="", trades=False):
    return PaletteEntry(text, group, lambda: None, keys, why, trades)


ENTRIES = [
    entry("Open as in ticket", "Trade", keys="Ctrl+Enter"),
    entry("Halt", "Trade", keys="Ctrl+."),
    entry("Go to Feeds", "View \u203a Go to"),
    entry("Go to Funding", "View \u203a Go to"),
    entry("Close panel Feeds", "View \u203a Panels"),
    entry("Light", "View \u203a Appearance"),
    entry("Flatten: close all\u2026", "Trade"),
    entry("ADA  Kraken spot ADA/USD / Binance perp ADAUSDT", "Pair \u203a spot-perp"),
    entry("Save over the workspace", "View \u203a Workspace", why="Choose one first."),
]


def texts(typed, recent=None):
    return [each.text for each in found(ENTRIES, typed, recent or Recent())]


def test_nothing_typed_lists_all_in_order_and_what_cannot_be_done_last():
    assert texts("") == [each.text for each in ENTRIES]
    shuffled = [ENTRIES[-1], *ENTRIES[:-1]]
    assert found(shuffled, "", Recent())[-1].why == "Choose one first."


def test_a_name_comes_before_a_word_in_it_and_that_before_scattered_letters():
    assert texts("halt")[0] == "Halt"
    assert texts("feeds") == ["Go to Feeds", "Close panel Feeds"]
    assert texts("fl")[0] == "Flatten: close all\u2026"
    assert texts("ada kraken") == ["ADA  Kraken spot ADA/USD / Binance perp ADAUSDT"]
    assert texts("appearance") == ["Light"]  # where it stands counts too
    assert texts("gtf") == ["Go to Feeds", "Go to Funding"]  # in order, from a word's start
    assert texts("otf") == []
    assert texts("fds") == ["Go to Feeds", "Close panel Feeds"]
    assert texts("zzzz") == []


def test_every_typed_word_has_to_be_in_it():
    assert texts("go funding") == ["Go to Funding"]
    assert texts("go nothing") == []


def test_what_was_used_lately_stands_on_top_of_what_fits_as_well():
    recent = Recent()
    recent.used(ENTRIES[4])
    assert texts("", recent)[0] == "Close panel Feeds"
    assert texts("feeds", recent)[0] == "Close panel Feeds"
    assert texts("halt", recent)[0] == "Halt"
    recent.used(ENTRIES[1])
    assert texts("", recent)[:2] == ["Halt", "Close panel Feeds"]
    for number in range(RECENT_MAX):
        recent.used(entry(str(number)))
    assert recent.place(ENTRIES[1]) == RECENT_MAX


def test_what_trades_is_not_on_top_by_having_been_done_nor_by_a_letter_or_two():
    close = entry("Close selected pair", "Trade", trades=True)
    flatten = entry("Flatten: close all\u2026", "Trade", trades=True)
    rows, recent = [close, flatten, entry("Close panel Feeds"), entry("Go to Feeds")], Recent()
    recent.used(close)
    assert recent.place(close) == RECENT_MAX
    for typed, first, mark in (
        ("", close, -1),
        ("cl", rows[2], 0),
        ("close", rows[2], 0),
        ("f", rows[2], 0),
        ("fl", flatten, -1),
        ("fla", flatten, 0),
        ("close sel", close, 0),
    ):
        listed = found(rows, typed, recent)
        assert (listed[0], marked(listed, typed)) == (first, mark), typed
    assert marked([], "x") == -1


def test_whatever_is_typed_nothing_breaks_and_the_limit_holds():
    rng = random.Random(4)
    for _ in range(300):
        typed = "".join(rng.choices(string.printable + "\u00df\u0130\u2026", k=rng.randrange(40)))
        assert len(found(ENTRIES, typed, Recent(), limit=3)) <= 3
