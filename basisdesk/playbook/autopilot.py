"""The autopilot: per pair off, suggest or auto; runs a playbook on each look and keeps a journal.

It adds the memory that playbooks do not have: which position is whose, what came of it, when the
next entry may be. It sends commands like a person does, and the desk's limits stand over it: it is
silent while the desk takes no entries, makes one entry a look, never a second one for a pair, and
leaves alone what a person opened. All of it is plain JSON, so a restart goes on.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from basisdesk.errors import UserError
from basisdesk.events import Command, OpenPair, Result
from basisdesk.playbook import shelf
from basisdesk.playbook.autopilot_words import (
    FORMAT,
    HOUR_NS,
    Assigned,
    Kept,
    Limits,
    Own,
    S,
    Sent,
)
from basisdesk.playbook.journal import MODES, Journal, Note, heeded, noted, signed
from basisdesk.playbook.words import Decision, Playbook, Priced, View
from basisdesk.trading import words
from basisdesk.trading.authors import author

RESULTS_MAX = 200  # of each playbook
OWN_MAX = 1_000  # pair numbers remembered


class Autopilot:
    """One account's autopilot. Moved by `step` and by what a person sets, and by nothing else."""

    def __init__(self, playbooks: Sequence[Playbook] = shelf.USUAL, limits: Limits | None = None):
        self.limits = limits if limits is not None else Limits()
        self.journal = Journal()
        self._books = {book.name: book for book in playbooks}
        self._usual = dict(self._books)
        self._assigned: dict[str, Assigned] = {}
        self._own: dict[int, Own] = {}
        self._past: dict[int, str] = {}  # closed pairs of ours -> playbook, until their result came
        self._sent: dict[str, Sent] = {}
        self._cool_ns: dict[str, int] = {}
        self._results: dict[str, deque[Result]] = {
            name: deque(maxlen=RESULTS_MAX) for name in self._books
        }
        self._entries_ns: deque[int] = deque(maxlen=1_000)
        self._last: dict[str, tuple[str, int]] = {}  # what was noted last of a pair, and when
        self._said: dict[str, tuple[View, Decision]] = {}  # the newest look at each pair

    # --- what a person sets ----------------------------------------------------------------------

    @property
    def playbooks(self) -> tuple[Playbook, ...]:
        """The playbooks with their values as set."""
        return tuple(self._books.values())

    def mode_of(self, pair: str) -> Assigned:
        """What a pair was told; off where nothing was."""
        return self._assigned.get(pair, Assigned("off", ""))

    def seen(self, pair: str) -> Decision | None:
        """What was decided at the newest look, stands included."""
        found = self._said.get(pair)
        return found[1] if found is not None else None

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs that are not off, those with a position of ours included."""
        on = {pair for pair, told in self._assigned.items() if told.mode != "off"}
        return tuple(sorted(on | self.busy))

    @property
    def busy(self) -> set[str]:
        """Pairs with a position of ours, or an entry under way."""
        return {own.pair for own in self._own.values()} | set(self._sent)

    @property
    def own(self) -> Mapping[int, Own]:
        """Positions that the autopilot opened and that are open, by number."""
        return self._own

    def results(self, playbook: str) -> tuple[Result, ...]:
        """Results of a playbook's own pairs since its last reset, oldest first."""
        return tuple(self._results.get(playbook, ()))

    def set_mode(
        self, pair: str, mode: str, playbook: str = "", now_ns: int = 0, reason: str = ""
    ) -> None:
        """Switch a pair. Raises UserError.

        What is held keeps its plan at the desk. Its playbook looks at it while the pair is not
        off, whatever playbook the pair is given now.
        """
        told = self.mode_of(pair)
        playbook = playbook or told.playbook
        if mode not in MODES:
            raise UserError(f"The autopilot knows {', '.join(MODES)}; {mode!r} is none of them.")
        if mode != "off" and playbook not in self._books:
            raise UserError(
                f"There is no playbook {playbook!r}. Choose one of {', '.join(self._books)}."
            )
        new = Assigned(mode, playbook)
        self._assigned[pair] = new
        self._last.pop(pair, None)
        self._said.pop(pair, None)
        text = f"{pair} is {mode}" + (f" with {playbook}." if mode != "off" else ".")
        for number, own in self._own.items():
            if mode == "off" and own.pair == pair:
                text += f" Pair {number} keeps its exit plan; {own.playbook} closes it no more."
        self._set(pair, new, "mode", text, (now_ns, reason))

    def set_values(
        self, playbook: str, values: Mapping[str, float], now_ns: int = 0, reason: str = ""
    ) -> None:
        """Change params of a playbook, from the next look on. Raises UserError."""
        if playbook not in self._books:
            raise UserError(f"There is no playbook {playbook!r}.")
        self._books[playbook] = self._books[playbook].with_values(values)
        said = ", ".join(f"{name} {value:g}" for name, value in values.items())
        self._set("", Assigned("off", playbook), "values", f"{said}.", (now_ns, reason))

    def reset(self, playbook: str, now_ns: int = 0, reason: str = "") -> None:
        """Count a playbook's results anew: its kill switch and its win rate start again."""
        results = self._results.get(playbook)
        if results is None:
            raise UserError(f"There is no playbook {playbook!r}.")
        text = f"Its {len(results)} results are counted anew from here."
        results.clear()
        self._set("", Assigned("off", playbook), "reset", text, (now_ns, reason))

    # --- a person beside it ----------------------------------------------------------------------

    def suggestion(self, pair: str) -> Decision | None:
        """What it would do about a pair, where that is more than to stand."""
        found = self._said.get(pair)
        return found[1] if found is not None and found[1].commands else None

    def accept(self, pair: str, now_ns: int, reason: str = "") -> list[Command]:
        """The commands of a suggestion, to be sent; its position is the autopilot's then."""
        found = self._said.pop(pair, None)
        if found is None or not found[1].commands:
            return []
        view, decision = found
        if now_ns - view.t_ns > self.limits.patience_s * S:  # prices are others by now
            return []
        told = self.mode_of(pair)
        self._note(view, decision, told, done=True, reason=reason or "accepted")
        playbook = self._whose(view) or told.playbook
        commands = signed(decision, playbook, self.journal.n, "accepted by hand")
        sent = Sent(playbook, now_ns, decision.code, decision.direction, accepted=True)
        self._under_way(view, commands, sent)
        return commands

    def override(self, pair: str, what: str, reason: str, now_ns: int) -> None:
        """A person does otherwise ("declined", "closed by hand", ...): noted, to be scored later.

        A pair that was declined cools down.
        """
        found, told = self._said.pop(pair, None), self.mode_of(pair)
        if found is None:
            note = Note(0, now_ns, pair, told.playbook, told.mode, "override", what, what)
        else:
            view, said = found
            decision = Decision("stand", what, f"A person: {what}.", (), said.direction)
            note = noted(view, (told.playbook, told.mode), decision, done=False)
            note = msgspec.structs.replace(
                note, t_ns=now_ns, kind="override", against=f"{said.kind} {said.code}"
            )
        self.journal.add(msgspec.structs.replace(note, reason=reason))
        self._cool(pair, now_ns)

    # --- the look --------------------------------------------------------------------------------

    def step(self, views: Iterable[View], now_ns: int) -> list[Command]:
        """Look at the pairs and give the commands to be sent now, mostly none."""
        commands: list[Command] = []
        entered = False
        for view in sorted(views, key=lambda each: each.pair):
            self._follow(view, now_ns)
            told = self.mode_of(view.pair)
            if told.mode == "off":
                continue
            playbook = self._books[self._whose(view) or told.playbook]
            decision = heeded(view, self._decide(playbook, view, now_ns, entered))
            told = Assigned(told.mode, playbook.name)
            done = told.mode == "auto" and bool(decision.commands)
            self._tell(view, decision, told, done=done)
            self._said[view.pair] = (view, decision)
            if done:
                sent = signed(decision, playbook.name, self.journal.n)
                entry = Sent(playbook.name, now_ns, decision.code, decision.direction)
                self._under_way(view, sent, entry)
                commands += sent
                entered = entered or decision.kind == "enter"
        return commands

    def _decide(self, playbook: Playbook, view: View, now_ns: int, entered: bool) -> Decision:
        if not view.risk.entries:
            return Decision("stand", "silent", f"Silent: the desk is {view.risk.state}.")
        seen, no = self._seen(view, playbook.name), self._no_entry(view, now_ns, entered)
        if no is not None:  # the rules are asked all the same; pricing an order is what costs
            seen = msgspec.structs.replace(seen, price=lambda _: Priced(refusal=no[1]))
        decision = playbook.decide(seen, now_ns)
        if no is not None and decision.code == "size":
            return msgspec.structs.replace(decision, code=no[0])
        if decision.kind == "exit":
            own = self._own.get(view.held.pair) if view.held is not None else None
            asked_ns = own.leaving_ns if own is not None else 0
            if asked_ns and now_ns - asked_ns < self.limits.patience_s * S:
                return Decision("stand", "leaving", "Its close is under way.")
        return decision

    def _no_entry(self, view: View, now_ns: int, entered: bool) -> tuple[str, str] | None:
        limits, until_ns = self.limits, self._cool_ns.get(view.pair, 0)
        if now_ns < until_ns:
            return "cool-down", f"Cooling down for {(until_ns - now_ns) / S:.0f} s more."
        if view.pair in self._sent:
            return "under-way", "An entry of this pair is under way."
        if entered:
            return "one-a-look", "Another pair is entered at this look."
        if len(self._own) + len(self._sent) >= limits.pairs_max:
            return "pairs-max", f"{limits.pairs_max} positions of the autopilot are open."
        recent = sum(now_ns - at < HOUR_NS for at in self._entries_ns)
        if recent >= limits.entries_h_max:
            return "entries-max", f"{recent} entries in an hour are the most."
        return None

    def _seen(self, view: View, playbook: str) -> View:
        # the view as a playbook sees it: its own results, and whether the position is its own
        held = view.held
        if held is not None:
            own = self._own.get(held.pair)
            held = msgspec.structs.replace(held, mine=own is not None and own.playbook == playbook)
        return msgspec.structs.replace(view, held=held, ours=self.results(playbook))

    def _whose(self, view: View) -> str:
        own = self._own.get(view.held.pair) if view.held is not None else None
        return own.playbook if own is not None else ""

    # --- what becomes of it ----------------------------------------------------------------------

    def release(
        self, commands: Iterable[Command], now_ns: int, fault: str, oldest_s: float
    ) -> list[Command]:
        """Of commands that waited for the disk, those that may go; other entries are withdrawn.

        fault: why what was to be remembered is not, "" where it is. oldest_s: how long an entry
        may have waited. Whatever reduces risk may always go.
        """
        return [each for each in commands if not self._withdrawn(each, now_ns, fault, oldest_s)]

    def _withdrawn(self, command: Command, now_ns: int, fault: str, oldest_s: float) -> bool:
        if not isinstance(command, OpenPair):
            return False
        by = author(command)
        pair, sent = next(((k, v) for k, v in self._sent.items() if v.by == by), ("", None))
        if sent is None:  # noted as unanswered by then
            return True
        told = self.mode_of(pair)
        why = sent.hindrance(told, now_ns, oldest_s) or fault
        if not why:
            return False
        del self._sent[pair]
        self._cool(pair, now_ns)
        text = f"The entry was not sent: {why}."
        self.journal.add(
            Note(0, now_ns, pair, sent.playbook, told.mode, "unanswered", "withdrawn", text,
                 sent.direction)
        )  # fmt: skip
        return True

    def _under_way(self, view: View, commands: list[Command], sent: Sent) -> None:
        entry = next((each for each in commands if isinstance(each, OpenPair)), None)
        if entry is not None:
            self._sent[view.pair] = msgspec.structs.replace(sent, by=author(entry))
            self._entries_ns.append(sent.t_ns)
        elif view.held is not None and view.held.pair in self._own:
            own = self._own[view.held.pair]
            self._own[view.held.pair] = msgspec.structs.replace(own, leaving_ns=sent.t_ns)

    def _follow(self, view: View, now_ns: int) -> None:
        """Claim what an entry became, notice what was closed, take results in."""
        sent, held = self._sent.get(view.pair), view.held
        for number, own in list(self._own.items()):
            if own.pair == view.pair and own.over(view, number):
                self._closed(view, number, own, now_ns)
        if sent is not None and held is not None and sent.became(held):
            self._claim(view, held.pair, sent)
        elif sent is not None and not view.busy and self._late(sent, now_ns):
            del self._sent[view.pair]
            self._cool(view.pair, now_ns)
            self._event(view, sent.playbook, "unanswered", "The entry did not come about.")
        self._learn(view)

    def _late(self, sent: Sent, now_ns: int) -> bool:
        return now_ns - sent.t_ns >= self.limits.patience_s * S

    def _claim(self, view: View, number: int, sent: Sent) -> None:
        del self._sent[view.pair]
        if number in self._own:
            return
        self._own[number] = Own(view.pair, sent.playbook, view.t_ns, by=sent.by)
        text = f"Pair {number} is open ({sent.code})."
        self._event(view, sent.playbook, "opened", text, number)

    def _closed(self, view: View, number: int, own: Own, now_ns: int) -> None:
        del self._own[number]
        self._past[number] = own.playbook
        for old in list(self._past)[:-OWN_MAX]:
            del self._past[old]
        self._cool(view.pair, now_ns)
        why = view.closed[1] if view.closed[0] == number else ""
        by_hand = why in ("user", "flatten")
        net = next((each.net for each in view.ours if each.pair == number), None)
        cash = view.account.currency
        told = "" if net is None else f", net {words.money(net, cash, signed=True)}"
        why = "by hand" if why == "user" else why
        text = f"Pair {number} is closed ({why or 'unknown'}{told})."
        self._event(view, own.playbook, "override" if by_hand else "closed", text, number)

    def _learn(self, view: View) -> None:
        for result in view.ours:
            playbook = self._past.pop(result.pair, None)
            if playbook is not None and playbook in self._results:
                self._results[playbook].append(result)

    def _cool(self, pair: str, now_ns: int) -> None:
        self._cool_ns[pair] = now_ns + round(self.limits.cool_s * S)

    # --- notes -----------------------------------------------------------------------------------

    def _tell(self, view: View, decision: Decision, told: Assigned, *, done: bool) -> None:
        """Note a decision that is another one than the last; stands that flicker, now and then."""
        key = f"{told.playbook} {told.mode} {decision.kind} {decision.code}"
        last, last_ns = self._last.get(view.pair, ("", 0))
        soon = view.t_ns - last_ns < self.limits.quiet_s * S
        if key == last and not done:
            return
        if decision.kind == "stand" and last and soon:
            return
        self._last[view.pair] = (key, view.t_ns)
        self._note(view, decision, told, done=done)

    def _note(
        self, view: View, decision: Decision, told: Assigned, *, done: bool, reason: str = ""
    ) -> None:
        note = noted(view, (told.playbook, told.mode), decision, done=done)
        self.journal.add(msgspec.structs.replace(note, reason=reason))

    def _event(self, view: View, playbook: str, kind: str, text: str, number: int = 0) -> None:
        decision = Decision("stand", kind, text)
        note = noted(view, (playbook, self.mode_of(view.pair).mode), decision, done=False)
        against = "hold" if kind == "override" else ""
        note = msgspec.structs.replace(note, kind=kind, position=number, against=against)
        self.journal.add(note)

    def _set(self, pair: str, told: Assigned, code: str, text: str, when: tuple[int, str]) -> None:
        now_ns, reason = when
        note = Note(0, now_ns, pair, told.playbook, told.mode, "set", code, text, reason=reason)
        self.journal.add(note)

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that later decisions depend on, and the journal, as plain JSON."""
        kept = Kept(
            format=FORMAT,
            limits=self.limits,
            assigned=self._assigned,
            values={name: self._values(name) for name in self._books},
            own=self._own,
            past=self._past,
            sent=self._sent,
            cool_ns=self._cool_ns,
            results={name: list(results) for name, results in self._results.items()},
            entries_ns=list(self._entries_ns),
            last=self._last,
            n=self.journal.n,
            notes=list(self.journal.notes),
        )
        found: dict[str, Any] = msgspec.to_builtins(kept, str_keys=True)
        return found

    @classmethod
    def restored(
        cls, kept: Mapping[str, Any], playbooks: Sequence[Playbook] = shelf.USUAL
    ) -> "Autopilot":
        """The autopilot of a dump. Values that a playbook no longer takes are left at its own.

        Raises:
            ValueError: not a dump, or one of another format.
        """
        if kept.get("format") != FORMAT:
            raise ValueError(f"autopilot of format {kept.get('format')}, this is {FORMAT}")
        told = msgspec.convert(kept, Kept, strict=False)
        found = cls(playbooks, told.limits)
        for name, values in told.values.items():
            found._take_values(name, values)
        found._assigned = {
            pair: each
            for pair, each in told.assigned.items()
            if each.mode == "off" or each.playbook in found._books
        }
        found._own, found._past = dict(told.own), dict(told.past)
        found._sent, found._cool_ns = dict(told.sent), dict(told.cool_ns)
        for name, results in told.results.items():
            if name in found._results:
                found._results[name].extend(results)
        found._entries_ns.extend(told.entries_ns)
        found._last = dict(told.last)
        found.journal = Journal(told.notes, told.n)
        return found

    def _values(self, name: str) -> dict[str, float]:
        usual = {param.name: param.value for param in self._usual[name].params}
        return {
            param.name: param.value
            for param in self._books[name].params
            if param.value != usual[param.name]
        }

    def _take_values(self, name: str, values: Mapping[str, float]) -> None:
        book = self._books.get(name)
        if book is None:
            return
        for key, value in values.items():
            try:
                book = book.with_values({key: value})
            except UserError:
                continue
        self._books[name] = book
