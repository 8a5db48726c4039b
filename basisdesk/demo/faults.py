"""Faults the exchange commits on request: what, on which connection, when, for how long.

This file knows their names and times; `drills.py` commits them, `tamper.py` and `warp.py` spoil
messages and prices. What is true stays true: see `Exchange.truth`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from basisdesk.errors import SettingsError

SLOW_S = 2.0  # how late a "slow" connection hands out its data
LATE_S = 1.0  # how late a "late_snapshot" comes; over HTTP it is this old
AGAIN_S = 1.0  # single blows are repeated after this while their fault lasts
ANY = ("*",)
BOOKS = ("bybit.spot", "bybit.linear", "binance.spot", "binance.public", "okx.public",
         "kraken.spot", "kraken.futures")  # fmt: skip
SNAPSHOTS = ("bybit.spot", "bybit.linear", "okx.public", "kraken.spot", "kraken.futures")
PERPS = ("bybit.linear", "binance.market", "okx.public", "kraken.futures")
CONNS = (
    "bybit.spot", "bybit.linear", "bybit.spread", "bybit.rest",
    "binance.spot", "binance.public", "binance.market", "binance.rest",
    "okx.public", "okx.rest",
    "kraken.spot", "kraken.futures", "kraken.rest",
)  # fmt: skip
VENUES = ("bybit", "binance", "okx", "kraken")
ALIASES = {"spot": "bybit.spot", "linear": "bybit.linear"}  # of older schedules


class FaultKind(NamedTuple):
    """One kind of fault, with the sentence that says what it does.

    on: connections it can strike, ("*",) for any; a venue's name is all of its connections.
    value: what `value` means and its default, "" where it means nothing.
    """

    name: str
    about: str
    on: tuple[str, ...] = ANY
    value: str = ""


_KINDS = (
    # the connection
    FaultKind("refuse", "New sockets and HTTP requests are answered with status 503."),
    FaultKind("http_status", "New sockets and HTTP requests get a status of the venue's choice; "
              "429 names its wait, 302 points to another host.", ANY, "the status, 429"),
    FaultKind("disconnect", "Every socket is cut, and new ones are refused while it lasts."),
    FaultKind("storm", "All sockets of all venues are cut at once; new ones are let in."),
    FaultKind("close", "Every socket is closed in the protocol's way.", ANY, "close code, 1012"),
    FaultKind("close_early", "New sockets are closed right after they open.", ANY,
              "close code, 1013"),
    FaultKind("reset", "The connection is reset in the middle of a message."),
    FaultKind("half_open", "Nothing is sent and nothing is read, yet the socket stays open."),
    FaultKind("mute", "Nothing is sent, not even answers; the protocol's own pings are answered."),
    FaultKind("silence", "No market data; control messages are answered."),
    FaultKind("day_cut", "Sockets are closed at their 24 hours, with the venue's notice where it "
              "gives one, after the time the fault lasts."),
    FaultKind("slow", "Data arrives two seconds late."),
    # the data
    FaultKind("outage", "The streams of one instrument fall silent, the others go on."),
    FaultKind("mute_topic", "One topic falls silent, others of the same instrument go on.", ANY,
              "how the topic's name begins"),
    FaultKind("burst", "Thousands of small frames arrive at once.", BOOKS, "frames, 10000"),
    FaultKind("duplicate", "Every data message comes twice."),
    FaultKind("swap", "Messages of a topic change places, two by two."),
    FaultKind("gap", "A message of each book is lost, once a second while it lasts.", BOOKS),
    FaultKind("resnapshot", "A new snapshot comes unasked; Bybit's ids start again at 1.",
              SNAPSHOTS),
    FaultKind("seq_reset", "The sequence numbers go back as in maintenance.", ("okx.public",)),
    FaultKind("late_snapshot", "The first snapshot of a book comes after its changes, over HTTP "
              "an old one is handed out."),
    FaultKind("crossed", "The best ask lies below the best bid.", BOOKS),
    FaultKind("jump", "Prices are a multiple of the true ones.", ANY, "the factor, 3"),
    FaultKind("bad_numbers", "Some numbers are nan, 1e999, 0, -1 and their like."),
    FaultKind("wrong_types", "Some fields have another type, or none."),
    FaultKind("unknown_topic", "Messages of topics and symbols nobody asked for."),
    FaultKind("malformed", "Some messages end in their middle, or are nested too deep."),
    FaultKind("garbage", "Broken messages come between the good ones."),
    FaultKind("huge", "A message of more than 4 MiB comes once a second."),
    FaultKind("clock_skew", "The venue's clock is off, or counts seconds for milliseconds.", ANY,
              'hours, 1; or "s" for seconds'),
    FaultKind("interval", "Funding intervals of perpetuals change.", PERPS, "hours, 1"),
    FaultKind("delist", "Instruments vanish from the lists, and their streams end."),
    FaultKind("tick", "The tick of instruments becomes ten times as large."),
)  # fmt: skip
_BY_NAME = {kind.name: kind for kind in _KINDS}


def fault_kinds() -> tuple[FaultKind, ...]:
    """Every kind of fault with the sentence that describes it."""
    return _KINDS


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault. Times are REAL seconds since the exchange began to listen.

    conn (or venue): "binance.public", "binance" for all of a venue, "*" for everything.
    symbol: only this instrument, by its symbol or its coin. value: see FaultKind.
    """

    kind: str
    at_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    conn: str = ""
    venue: str = ""
    for_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    symbol: str = ""
    value: float | str | None = None

    @property
    def target(self) -> str:
        """The connections it is aimed at."""
        named = self.conn or self.venue or "*"
        return ALIASES.get(named, named)

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.at_s + self.for_s

    def hits(self, conn: str, symbol: str = "", base: str = "") -> bool:
        """Whether it concerns this connection, and this instrument where it names one."""
        target = self.target
        if target not in ("*", conn) and not conn.startswith(f"{target}."):
            return False
        return not self.symbol or not symbol or self.symbol in (symbol, base)

    def number(self, usual: float) -> float:
        """Its value as a number."""
        try:
            return usual if self.value is None else float(self.value)
        except ValueError:
            return usual


class Faults:
    """Faults by time. `tick` first, then ask what is on."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._waiting = sorted(faults, key=lambda fault: fault.at_s)
        self.on: list[Fault] = []

    def tick(self, now_s: float) -> tuple[list[Fault], list[Fault]]:
        """(faults that begin now, faults that end now), each told once."""
        if not self.on and (not self._waiting or self._waiting[0].at_s > now_s):
            return [], []
        ended = [fault for fault in self.on if fault.end_s <= now_s]
        begun = []
        while self._waiting and self._waiting[0].at_s <= now_s:
            begun.append(self._waiting.pop(0))
        lasting = [fault for fault in begun if fault.end_s > now_s]
        self.on = [fault for fault in self.on if fault.end_s > now_s] + lasting
        return begun, ended

    def active(self, kind: str, conn: str, symbol: str = "", base: str = "") -> Fault | None:
        """A fault of the kind that is on."""
        for fault in self.on:
            if fault.kind == kind and fault.hits(conn, symbol, base):
                return fault
        return None

    def add(self, fault: Fault, now_s: float) -> None:
        """One more, from now on unless it is meant for later."""
        begins = msgspec.structs.replace(fault, at_s=max(fault.at_s, now_s))
        self._waiting = sorted([*self._waiting, begins], key=lambda fault: fault.at_s)

    def clear(self) -> list[Fault]:
        """End all and forget those to come; what was on."""
        ended, self.on, self._waiting = self.on, [], []
        return ended


def checked(fault: Fault) -> Fault:
    """The fault, if its names are known. Raises ValueError with a sentence."""
    kind = _BY_NAME.get(fault.kind)
    if kind is None:
        raise ValueError(f"there is no fault {fault.kind!r}; known: {', '.join(_BY_NAME)}")
    target = fault.target
    if fault.conn and fault.venue and not fault.conn.startswith(f"{fault.venue}."):
        raise ValueError(f"{fault.conn!r} is no connection of {fault.venue!r}")
    if target != "*" and target not in (*CONNS, *VENUES):
        raise ValueError(f"there is no connection {target!r}; known: {', '.join(CONNS)}")
    if kind.on != ANY and not any(fault.hits(conn) for conn in kind.on):
        raise ValueError(f"{fault.kind!r} strikes {', '.join(kind.on)}, not {target!r}")
    return fault


def read_faults(path: Path | None) -> Faults:
    """Faults of a JSON file (a list of objects); none for None. Raises SettingsError."""
    if path is None:
        return Faults()
    try:
        return Faults(map(checked, msgspec.json.decode(path.read_bytes(), type=list[Fault])))
    except OSError as exc:
        raise SettingsError(f"Cannot read faults file {path}: {exc.strerror}.") from exc
    except ValueError as exc:  # msgspec's and Unicode's errors are ValueErrors
        raise SettingsError(f"Faults file {path} cannot be used: {exc}.") from exc


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of standing input: {"fault": {...}}, {"clear": true}, or both, cleared first."""

    fault: Fault | None = None
    clear: bool = False


def read_order(line: bytes) -> Order:
    """An order, checked. Raises SettingsError with one sentence."""
    try:
        order = msgspec.json.decode(line, type=Order)
        if order.fault is not None:
            checked(order.fault)
    except ValueError as exc:
        raise SettingsError(f"The order cannot be followed: {exc}.") from exc
    return order
