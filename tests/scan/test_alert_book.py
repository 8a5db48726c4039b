"""The book of alerts: bounded, kept as bytes, and read again whatever the bytes are."""

import json
import math

import msgspec
import pytest
from alert_rig import START_NS, S, one, rule
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.scan.alert_book import (
    LOG_MAX,
    AlertBook,
    Told,
    example_of,
    open_book,
    payload_of,
    told_of,
)
from basisdesk.scan.alert_watch import Fired
from basisdesk.scan.alerts import DEFAULT_RULES, NAME_MAX, RULES_MAX, WATCHED, AlertRule


def told(book: AlertBook, value: float, now_ns: int) -> int:
    """How many alerts one look makes; they are logged."""
    fired = book.judge(one(value), now_ns)
    book.note([told_of(each, ("notify",)) for each in fired], len(fired))
    return len(fired)


def again(book: AlertBook, now_ns: int = START_NS) -> AlertBook:
    """The book after a restart."""
    reopened, said = open_book(book.to_bytes(now_ns))
    assert said == ""
    return reopened


def test_a_new_book_has_the_shipped_rules():
    book, said = open_book(None)
    assert said == ""
    assert list(book.rules.values()) == list(DEFAULT_RULES)
    assert book.wanted == {each.quantity for each in DEFAULT_RULES}


def test_told_before_a_restart_and_still_so_is_not_told_again():
    book = AlertBook([rule(level=10)])
    assert told(book, 11.0, START_NS) == 1
    book = again(book)
    assert [told(book, value, START_NS + S) for value in (math.nan, 11.0, 12.0)] == [0, 0, 0]
    assert told(book, 9.0, START_NS + 2 * S) == 0
    assert told(book, 11.0, START_NS + 3 * S) == 1
    assert [line.t_ns for line in book.log] == [START_NS + 3 * S, START_NS]


def test_everything_comes_back():
    book = AlertBook([rule(level=10), rule("z", "BTC", -2.0, id="r2", side="under")])
    told(book, 11.0, START_NS)
    book.snooze("r2", START_NS + 60 * S)
    book.snooze("*", START_NS + 5 * S)
    book.mute(True)
    copy = again(book)
    assert copy.rules == book.rules
    assert list(copy.log) == list(book.log)
    assert (copy.silent_until_ns, copy.muted) == (START_NS + 5 * S, True)
    assert copy.snoozed_until_ns(copy.rules["r2"]) == START_NS + 60 * S
    assert copy.to_bytes(START_NS) == book.to_bytes(START_NS)


def test_the_log_is_bounded_and_newest_first():
    book = AlertBook([])
    for at in range(LOG_MAX + 100):
        book.note([Told(at, "r", "R", "text", 1.0, "bp")], 1)
    assert len(book.log) == LOG_MAX
    assert book.log[0].t_ns == LOG_MAX + 99
    assert book.total == LOG_MAX + 100


def test_rules_are_bounded_and_refused_in_words():
    book = AlertBook([])
    for at in range(RULES_MAX):
        assert book.put(rule(id=f"r{at}")) == ""
    assert "Remove one" in book.put(rule(id="more"))
    assert book.put(rule(id="r7", level=9.0)) == ""  # replaced, not added
    assert "outside" in book.put(rule(id="r7", level=1e5))
    assert book.rules["r7"].level == 9.0
    book.drop("r7")
    assert book.put(rule(id="more")) == ""


def test_ids_are_made_from_names():
    book = AlertBook([])
    assert book.new_id("Funding gap over 0.06 %") == "funding-gap-over-0-06"
    assert book.new_id("\u4e2d <b>") == "b"
    assert book.new_id("\u4e2d") == "alert"
    book.put(rule(id="alert"))
    assert book.new_id("Alert") == "alert-2"
    assert len(book.new_id("x" * 60)) <= 40


def test_the_version_moves_with_what_is_worth_keeping():
    book = AlertBook([rule(level=10)])
    seen = [book.version]

    def moved() -> bool:
        seen.append(book.version)
        return seen[-1] != seen[-2]

    told(book, 9.0, START_NS)
    moved()
    book.judge(one(9.5), START_NS + S)
    assert not moved()
    book.judge(one(11.0), START_NS + 2 * S)
    assert moved()
    book.judge(one(11.0), START_NS + 3 * S)
    assert not moved()
    book.judge(one(8.0), START_NS + 4 * S)
    assert moved()
    book.mute(True)
    assert moved()


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version":"1"}', b'{"version":1,"rules":[{}]}',
     b'{"version":1,"rules":[{"id":"x","side":"sideways"}]}', b"[" * 100_000],
)  # fmt: skip
def test_bytes_that_cannot_be_read_are_said_and_give_the_shipped_rules(data):
    book, said = open_book(data)
    assert said == "The alert rules cannot be read. The file was put aside."
    assert list(book.rules.values()) == list(DEFAULT_RULES)


def huge(at_ns):
    """A book's file with one stamp that is no time, in each place where there is one."""
    book = AlertBook([rule(level=10)])
    told(book, 11.0, START_NS)
    file = json.loads(book.to_bytes(START_NS))
    (key,) = file["marks"]["r1"]
    yield {**file, "marks": {"r1": {key: [at_ns, True]}}}
    yield {**file, "marks": {"r1": {"gone": [at_ns, False]}}}
    yield {**file, "silent_until_ns": at_ns}
    yield {**file, "log": [[at_ns, *file["log"][0][1:]]]}
    yield {**file, "rules": [{**file["rules"][0], "snoozed_until_ns": at_ns}]}


@pytest.mark.parametrize("at_ns", [2**62 + 1, 2**63 - 1, 2**63, 2**64, 2**70])
def test_a_stamp_that_is_no_time_is_said_and_breaks_nothing(at_ns):
    for file in huge(at_ns):
        book, said = open_book(json.dumps(file).encode())
        assert said.endswith("The file was put aside.")
        assert said.count(".") == 2
        assert list(book.rules.values()) == list(DEFAULT_RULES)
        book.put(rule(level=10))
        assert told(book, 11.0, START_NS) == 1
        again(book)


def test_a_stamp_before_1970_is_no_time_either():
    said = [open_book(json.dumps(file).encode())[1] for file in huge(-1)]
    assert all(said)


@pytest.mark.parametrize("at_ns", [0, START_NS, 2**62])
def test_the_last_stamp_that_is_one_is_taken(at_ns):
    for file in huge(at_ns):
        book, said = open_book(json.dumps(file).encode())
        assert said == ""
        for gap in (0, S, 2 * S):
            told(book, 11.0, START_NS + gap)
        again(book)


def test_a_snooze_without_end_can_be_kept():
    book = AlertBook([rule(level=10)])
    book.snooze("r1", 2**80)
    book.snooze("*", 2**80)
    copy = again(book)
    assert copy.silent_until_ns == copy.rules["r1"].snoozed_until_ns == 2**62


def test_another_version_is_not_guessed_at():
    book, said = open_book(b'{"version":2,"rules":[]}')
    assert "another version" in said
    assert book.rules


def test_a_rule_that_became_wrong_is_left_out_and_said():
    file = json.loads(AlertBook([rule(), rule(id="r2")]).to_bytes(START_NS))
    file["rules"][1]["level"] = 99_999.0
    book, said = open_book(json.dumps(file).encode())
    assert said == "1 of the alert rules cannot be used and were left out."
    assert list(book.rules) == ["r1"]


@given(st.binary(max_size=200))
def test_no_bytes_break_the_book(data):
    book, _ = open_book(data)
    assert book.rules


def test_the_payload_is_plain_and_small():
    fired = Fired(START_NS, "r1", "Rule", "Basis of it is 11.0 bp.", 11.0, "bp", ("it",), 1, ())
    assert json.loads(payload_of(told_of(fired))) == {
        "source": "basisdesk",
        "paper": True,
        "rule": "Rule",
        "text": "Basis of it is 11.0 bp.",
        "value": 11.0,
        "unit": "bp",
        "time": "2026-09-18T09:14:22Z",
    }
    huge = msgspec.structs.replace(fired, name="\U0001f600" * NAME_MAX, text="\U0001f600<" * 9_000)
    body = payload_of(told_of(huge))
    assert len(body) <= 4_096
    assert b"<" not in body
    none = msgspec.structs.replace(fired, value=math.inf)
    assert json.loads(payload_of(told_of(none)))["value"] is None


def test_every_quantity_has_an_example():
    for quantity in WATCHED:
        side, level = ("equals", -1.0) if quantity == "sector_state" else ("over", 1.0)
        example = example_of(AlertRule("x", "X", quantity, "*", side, level), START_NS)
        assert example.text.endswith(".")
        assert "nan" not in example.text
