"""Golden stories: what each playbook decides, trades and books in a named scenario, to the letter.

`golden/NAME.md` tells one run: the autopilot's journal sentence by sentence, the fills, the pair's
attribution and the ledger's digest. `golden/NAME.commands.jsonl` holds what it sent, as `basisdesk
replay --commands` reads it; fed again over the run's tape, without an autopilot, they give the same
digest. `golden/NAME-calm.md` tells of the preset in which nothing is entered.

A file is written anew with BASISDESK_GOLDEN=write, and then wants reading before it is committed.
The market is the demo's: its basis comes back by construction, so a net here is no edge. The seeds
are chosen so that a story ends within its span; with others carry waits for hours. Clamp-aware
without its refusal of momentum enters before the turn and is stopped out: that story is kept too.
"""

import json
import os
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from basisdesk.cli import main
from basisdesk.demo.scenarios import SCENARIOS
from basisdesk.engine import Engine
from basisdesk.events import COMMAND
from basisdesk.lab.replay import report
from basisdesk.lab.tape import TapeHeader, TapeWriter
from basisdesk.ledger.check import check_journal
from basisdesk.playbook import shelf
from basisdesk.playbook.reader import Beside
from tests.playbook.rehearsal import EPOCH_MS, MS, Rehearsal, S
from tests.playbook.test_playbook_carry import score

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("BASISDESK_GOLDEN") == "write"
P, P_STAR = 0.9, 0.75  # of the score that clamp-aware is handed
CONFIG = "[paper]\nlatency_ms = 0\n"
ADA = ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
PENDLE = ("bybit:perp:PENDLEUSDT", "okx:perp:PENDLE-USDT-SWAP")
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual")


class Span(NamedTuple):
    """What is run: playbook, scenario and its seed, the pair, seconds a step, the most minutes.

    values: params that are not as usual.
    """

    book: str
    scenario: str
    seed: int
    legs: tuple[str, str]
    step_s: float
    minutes: float
    values: tuple[tuple[str, float], ...] = ()


STORIES = {
    "decoupling": Span("decoupling", "decoupling", 1, ADA, 2.0, 30),  # leaves before its plan does
    "convergence": Span("convergence", "decoupling", 7, ADA, 2.0, 30),
    "carry": Span("carry", "decoupling", 8, ADA, 2.0, 60),
    "clamp-aware": Span("clamp-aware", "decoupling", 8, ADA, 2.0, 60),
    "clamp-aware-stop": Span(
        "clamp-aware", "decoupling", 6, ADA, 2.0, 10, (("widen_max", 1000.0),)
    ),  # enters too early
    "funding-gap": Span("funding-gap", "openings", 7, PENDLE, 50.0, 26 * 60),
}
CALM = {
    book: Span(
        book, "2025 calm", 7, *((PENDLE, 60.0, 960) if book == "funding-gap" else (ADA, 5, 60))
    )
    for book in ("decoupling", "convergence", "carry", "clamp-aware", "funding-gap")
}  # two settlements pass in the calm of the funding gap


class Taped(Rehearsal):
    """A rehearsal that keeps its frames: the market's on a tape, the commands aside.

    Commands are stamped with the moment they reach the engine, as the desk stamps them.
    """

    def __init__(self, span, tape=None):
        header = TapeHeader(1, "golden", EPOCH_MS * MS, "demo")
        self.tape = TapeWriter(tape, header, 1 << 30) if tape is not None else None
        self.commands = []
        super().__init__(span.scenario, span.legs, span.seed, span.step_s)
        if span.values:
            self.autopilot.set_values(span.book, dict(span.values), self.now_ns)
        self.autopilot.set_mode(self.pair, "auto", span.book, self.now_ns)
        # a forecast that has learned for months is not rehearsed here
        if span.book == "clamp-aware":
            self.beside = lambda view: Beside(score=score(P, P_STAR))

    @property
    def engine(self):
        return self._engine

    @engine.setter
    def engine(self, made: Engine):
        self._engine, walk = made, made.advance

        def advance(frames):
            kept = list(frames)
            for frame in kept:
                if frame.conn != COMMAND and self.tape is not None:
                    self.tape.put(frame)
            return walk(kept)

        made.advance = advance

    def tell(self, what):
        stamped = msgspec.structs.replace(what, t_ns=max(self.now_ns, self.engine.now_ns))
        self.commands.append(stamped)
        super().tell(stamped)

    def end(self):
        """Close the tape; it has to be whole."""
        self.tape.close()
        assert self.tape.state == ""


class Story(NamedTuple):
    """A run that is over, and its tape."""

    run: Taped
    said: dict
    tape: Path


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    """Runs each story once for all tests of a process."""

    @cache
    def tell(name):
        span = STORIES[name]
        tape = tmp_path_factory.mktemp("golden") / f"{name}.tape"
        run = Taped(span, tape)
        assert run.run(span.minutes, lambda each: bool(each.closed()))
        run.end()
        return Story(run, report(run.engine, run.engine.books.start, 0), tape)

    return tell


# --- as text --------------------------------------------------------------------------------------


def clock(t_ns):
    """Time since the run began, h:mm:ss and hundredths where there are any."""
    hundredths = round((t_ns - EPOCH_MS * MS) / (S // 100))
    seconds, rest = divmod(hundredths, 100)
    more = f".{rest:02}" if rest else ""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{more}"


def table(head, rows):
    """Rows as a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def opening(span):
    """What is run, in words."""
    text = (
        f'Scenario "{span.scenario}", seed {span.seed}, {span.legs[0]} and {span.legs[1]}, a look\n'
        f"each {span.step_s:g} s, orders without latency, 10,000 USDT, mode auto. Times count from "
        "the\nstart of the run."
    )
    if span.book == "clamp-aware":
        text += (
            f"\nThe forecast is a stub: it says p = {P:g} against p* = {P_STAR:g} for either side "
            "at every look.\nWhat it would have learned is not part of this story."
        )
    return text


def journal(run):
    """The autopilot's notes; a position's number where there is one."""
    rows = [
        (clock(note.t_ns), note.kind, note.code, note.position or "", note.text)
        for note in run.autopilot.journal.notes
    ]
    return table(("time", "kind", "code", "pair", "sentence"), rows)


def story(span, told):
    """The story as the golden file tells it."""
    run, said = told.run, told.said
    (pair,) = said["pairs"]
    stopped = pair["close_reason"] == "stop"
    how = "too early, and stopped out" if stopped else "from entry to exit by itself"
    keys = ("leg", "instrument", "side", "qty", "price", "fee", "fee_currency", "grade")
    fills = [(clock(fill["ts_ns"]), *(fill[key] for key in keys)) for fill in pair["fills"]]
    paid = [
        (clock(one["ts_ns"]), one["instrument"], one["rate"], one["mark"], one["amount"])
        for one in said["settlements"]
    ]
    parts = [
        f"# {shelf.find(span.book).title}: {how}",
        opening(span),
        "## Journal",
        journal(run),
        "## Ledger",
        f"Pair {pair['pair']}: {pair['qty']} long {pair['long']}, short {pair['short']}; opened at "
        f"{clock(pair['opened_ns'])} ({pair['opened_by']}), closed at "
        f"{clock(pair['closed_ns'])} ({pair['close_by'] or pair['close_reason']}).",
        table(("time", *keys), fills),
        *([table(("time", "instrument", "rate", "mark", "amount"), paid)] if paid else []),
        table(("term", "USDT"), pair["attribution"].items()),
        f"Equity {said['equity']['start']} to {said['equity']['end']} USDT. Digest of the ledger:\n"
        f"`{said['ledger_digest']}`",
    ]
    return "\n\n".join(parts) + "\n"


def orders(run):
    """The commands as a file of `basisdesk replay --commands`."""
    lines = ['{"basisdesk_commands":1}']
    lines += [msgspec.json.encode(each).decode() for each in run.commands]
    return "\n".join(lines) + "\n"


def agrees(name, text):
    """Assert that the golden file says exactly this, or write it where that is asked for."""
    path = GOLDEN / name
    if WRITE:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{name} differs; BASISDESK_GOLDEN=write renews it"


# --- the tests ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_the_story_is_told_as_it_was(name, told):
    assert STORIES[name].scenario in SCENARIOS
    found = told(name)
    agrees(f"{name}.commands.jsonl", orders(found.run))
    agrees(f"{name}.md", story(STORIES[name], found))


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_every_step_has_its_reason_and_the_terms_add_up(name, told):
    run, said = told(name).run, told(name).said
    notes = run.autopilot.journal.notes
    (pair,) = said["pairs"]
    steps = [note for note in notes if note.kind in ("enter", "opened", "exit", "closed")]
    assert [note.kind for note in steps if note.kind != "exit"] == ["enter", "opened", "closed"]
    assert all(one.t_ns <= two.t_ns for one, two in pairwise(notes))
    assert all(note.code and note.text.endswith((".", "%", ")")) for note in notes)
    asked = [note for note in steps if note.kind == "exit"]
    assert bool(asked) == bool(pair["close_by"])  # else the plan left, and says by what
    (entry,) = [note for note in steps if note.kind == "enter"]
    who, _, how = pair["opened_by"].partition(", ")
    assert (who, how) == (f"autopilot: {STORIES[name].book}", pair["open_reason"])
    assert how == f"{entry.code}, decision {entry.n}"
    assert all(note.forecast for note in notes if note.kind in ("enter", "exit", "stand"))
    why = pair["close_reason"]
    if asked:  # the ledger says whose close it was
        why = pair["close_by"]
        assert why == f"autopilot: {STORIES[name].book}, {asked[-1].code}"
    assert f"({why}, net " in steps[-1].text
    terms = {term: Decimal(amount) for term, amount in pair["attribution"].items()}
    (result,) = run.closed()
    assert sum(terms[term] for term in TERMS) == terms["total"] == result.net
    assert (result.net > 0) == (pair["close_reason"] != "stop")
    end, start = (Decimal(said["equity"][when]) for when in ("end", "start"))
    assert end - start == result.net
    assert run.engine.audit() == []


@pytest.mark.slow
@pytest.mark.skipif(WRITE, reason="the golden files are being written")
@pytest.mark.parametrize("name", STORIES)
def test_the_tape_and_the_commands_give_the_same_ledger(name, told, tmp_path, capsys):
    config, kept = tmp_path / "settings.toml", tmp_path / "journal.db"
    config.write_text(CONFIG)
    given = ["--commands", str(GOLDEN / f"{name}.commands.jsonl"), "--config", str(config)]
    tape = str(told(name).tape)
    capsys.readouterr()
    assert main(["replay", tape, *given, "--journal", str(kept), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    first = told(name).said
    assert said["refusals"] == [] == first["refusals"]
    assert said["pairs"] == first["pairs"]
    assert said["equity"] == first["equity"]
    assert f"`{said['ledger_digest']}`" in (GOLDEN / f"{name}.md").read_text("utf-8")
    assert check_journal(kept).problems == []


@pytest.mark.slow
@pytest.mark.parametrize("book", CALM)
def test_in_the_calm_it_enters_nothing(book):
    run = Taped(CALM[book])
    start = run.engine.books.digest()
    run.run(CALM[book].minutes)
    assert run.said("enter", "exit", "opened", "closed") == []
    assert len(run.commands) == 1  # the pair that is looked at
    assert run.engine.open_pairs() == []
    assert run.engine.books.digest() == start
    head = f'# {shelf.find(book).title}: stands still in "2025 calm"'
    over = f"Over at {clock(run.now_ns)}: no order, no position, nothing booked."
    text = "\n\n".join((head, opening(CALM[book]), "## Journal", journal(run), over))
    agrees(f"{book}-calm.md", text + "\n")
