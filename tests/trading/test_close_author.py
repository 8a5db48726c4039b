"""Who opened and closed a pair: a person, else the author that the command names.

Journals, tapes and files of commands from before the field read as a person's.
"""

import msgspec
import pytest
from exec_rig import ExecRig, asked, only
from trading_rig import D

from basisdesk.events import (
    ClosePair,
    Command,
    Drill,
    Execution,
    OpenPair,
    Ordered,
    Outcome,
    PairOpened,
    PairReduced,
)
from basisdesk.trading.authors import AUTHOR_MAX, reason_of
from basisdesk.trading.sentences import describe
from basisdesk.ui.position_texts import opener_text

BY = "autopilot: decoupling, reverted"


def opened():
    rig = ExecRig()
    rig.do(asked())
    rig.beats(1)
    return rig


def test_a_close_carries_its_author_into_the_journal_the_log_and_the_position():
    rig = opened()
    rig.do(ClosePair(1, by=BY))
    over = only(rig.beats(1), PairReduced)
    assert (over.reason, over.by) == ("user", BY)
    assert describe(over) == f"Pair 1 closed: {BY}."
    rig.reborn()
    assert (rig.pair().close_reason, rig.pair().close_by) == ("user", BY)


def test_a_person_has_no_name():
    rig = opened()
    rig.do(ClosePair(1))
    over = only(rig.beats(1), PairReduced)
    assert over.by == ""
    assert describe(over) == "Pair 1 closed: by hand."


@pytest.mark.parametrize(
    "how", [Execution(slices=2, slice_gap_s=D(1)), Execution(style="passive", passive_leg="long")]
)
def test_a_close_that_works_for_a_while_keeps_its_author(how):
    rig = opened()
    (kept,) = [each for each in rig.do(ClosePair(1, how=how, by=BY)) if isinstance(each, Ordered)]
    assert kept.work.by == BY
    assert describe(kept).endswith(f", {BY}.")
    for _ in range(20):
        rig.print(rig.pair().long.instrument, 1e9, 1e9, "buy")
        rig.beats(0.5)
    reduced = [each for each in rig.log if isinstance(each, PairReduced)]
    assert reduced
    assert {each.by for each in reduced} == {BY}


def test_the_rest_of_a_half_failed_close_is_the_same_authors():
    rig = opened()
    rig.do(Drill("reject", "short"))
    rig.do(ClosePair(1, by=BY))
    rig.beats(2)
    reduced = [each for each in rig.log if isinstance(each, PairReduced)]
    assert [each.by for each in reduced] == [BY, BY]
    assert reduced[-1].closed


def test_a_part_closed_by_the_autopilot_and_the_rest_by_hand():
    rig = opened()
    rig.do(ClosePair(1, D("0.5"), by=BY))
    rig.beats(1)
    assert rig.pair().close_by == BY
    rig.do(ClosePair(1))
    rig.beats(1)
    assert rig.pair().close_by == ""


def test_an_author_is_one_short_line():
    rig = opened()
    rig.do(ClosePair(1, by="a\nb\t" + 500 * "c"))
    over = only(rig.beats(1), PairReduced)
    assert over.by.startswith("a b ccc")
    assert len(over.by) == AUTHOR_MAX


def test_what_was_written_before_the_field_is_a_persons():
    old = b'{"do":"close_pair","pair":3,"t_ns":7}'
    command = msgspec.json.decode(old, type=Command)
    assert command == ClosePair(3, t_ns=7)
    assert msgspec.json.encode(command) == old  # and a person's is written as it was
    rig = opened()
    rig.do(ClosePair(1))
    over = only(rig.beats(1), PairReduced)
    body = msgspec.to_builtins(over, str_keys=True)
    del body["by"]
    assert msgspec.json.decode(msgspec.json.encode(body), type=Outcome) == over


ENTRY = "autopilot: carry, edge, decision 12"


def entered(how=None):
    rig = ExecRig()
    request = msgspec.structs.replace(asked(), by=ENTRY)
    rig.do(request if how is None else msgspec.structs.replace(request, how=how))
    return rig


def test_an_entry_carries_its_author_into_the_journal_the_log_and_the_position():
    rig = entered()
    rig.beats(1)
    opened_ = only(rig.log, PairOpened)
    assert (opened_.reason, opened_.by) == ("user", ENTRY)
    assert describe(opened_).endswith(f"; {ENTRY}.")
    assert rig.pair().open_by == ENTRY
    assert opener_text(rig.pair()) == f", by {ENTRY}"
    rig.reborn()
    assert rig.pair().open_by == ENTRY
    assert reason_of(ENTRY) == "edge, decision 12"


def test_an_entry_that_works_for_a_while_keeps_its_author():
    rig = entered(Execution(slices=2, slice_gap_s=D(1)))
    kept = only(rig.log, Ordered)
    assert describe(kept).endswith(f", {ENTRY}.")
    assert rig.pair().open_by == ENTRY  # before anything is filled
    rig.beats(5)
    assert only(rig.log, PairOpened).by == ENTRY


def test_an_entry_of_a_person_reads_and_is_written_as_before_the_field():
    rig = opened()
    first = only(rig.log, PairOpened)
    assert (first.by, rig.pair().open_by, opener_text(rig.pair())) == ("", "", "")
    body = msgspec.to_builtins(first, str_keys=True)
    del body["by"]
    assert msgspec.json.decode(msgspec.json.encode(body), type=Outcome) == first
    command = OpenPair("a", "b", D(1))
    assert b"by" not in msgspec.json.encode(command)
