"""What all HTTP codecs read with: the frame an answer comes in, its figures, its refusal.

An answer comes in as a frame like any other: {"path": "/v5/...?query", "data": "<body text>"}.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Generic, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import Candles, FundingHistory
from basisdesk.venues.instrument import Tier, Tiers, TierUnit
from basisdesk.venues.reading import MINUTE_MS, Events

PLACES = 18  # digits after the point of an amount; more is none
YEAR_2100_MS = 4_102_444_800_000
ROWS_MAX = 20_000  # rows of one answer; the longest, all spot markets, has below 4,000
CANDLES_MAX = 2_000  # candles of one answer; a page of ours has 720 at most
SETTLED_MAX = 1_000  # settlements of one answer; we ask for 400 at most
FIGURES_KEPT = 8_192  # texts of figures remembered: ticks and lots are the same few everywhere
COIN = re.compile(r"[A-Z0-9]{1,20}")
_AMOUNT = re.compile(r"-?[0-9]{1,16}(?:\.([0-9]+))?")

ServerMs = Annotated[int, Meta(ge=0, le=YEAR_2100_MS)]

Limited = Meta(max_length=ROWS_MAX)

_T = TypeVar("_T")
_V = TypeVar("_V", float, str)


class Answer(NamedTuple):
    """What was asked, and the body of what came back."""

    path: str
    query: Mapping[str, str]
    body: str


class _Frame(msgspec.Struct, gc=False):
    path: str
    data: str


_decode_frame = msgspec.json.Decoder(_Frame).decode


class RestCodec:
    """Decoder of a venue's HTTP answers. `read` finds the events of one, as that venue says them.

    Keeps nothing of its own.
    """

    def __init__(self, read: Callable[[Answer], Events]) -> None:
        self._read = read

    def decode(self, payload: bytes) -> Events:
        """Events of one framed answer. BadFrame "rest" when the venue refused the request.

        Raises BadFrame of the whole frame: "json" or "type" for what does not decode, "number" for
        any other value that cannot be, and the reason of a BadFrame that `read` raised.
        """
        try:
            frame = _decode_frame(payload)
            url = urlsplit(frame.path)
            answer = Answer(url.path, dict(parse_qsl(url.query)), frame.data)
        except msgspec.ValidationError:
            raise BadFrame("type", payload) from None
        except (ValueError, RecursionError):
            raise BadFrame("json", payload) from None
        try:
            return self._read(answer)
        except BadFrame as exc:
            raise BadFrame(exc.reason, payload) from None
        except msgspec.ValidationError:
            raise BadFrame("type", payload) from None
        except (msgspec.DecodeError, RecursionError):
            raise BadFrame("json", payload) from None
        except (ValueError, ArithmeticError):
            raise BadFrame("number", payload) from None


def typed(text: str | msgspec.Raw, shape: type[_T]) -> _T:
    """The text as this shape, numbers in quotes too."""
    return msgspec.json.decode(text, type=shape, strict=False)


def readable(
    texts: Sequence[msgspec.Raw], read: Callable[[msgspec.Raw], _T | None], *, ours: bool = True
) -> list[_T]:
    """What can be read of a list: one odd listing must not hide the others.

    read: None for a row that is none of ours. Raises BadFrame where not one row is left of some:
    "symbol" where one was refused for its name, else "number". ours: a list that holds nothing of
    ours is refused too; else only one that holds nothing readable.
    """
    rows, odd, bad = [], False, ours
    for text in texts:
        try:
            row = read(text)
        except BadFrame:
            odd = bad = True
        except (ValueError, ArithmeticError, LookupError):
            bad = True
        else:
            if row is not None:
                rows.append(row)
    if texts and bad and not rows:
        raise BadFrame("symbol" if odd else "number")
    return rows


class Known(Generic[_T]):
    """Rows of instrument lists by their digest: an hour later nearly all of a list is the same."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, bytes], _T | None] = {}

    def readable(
        self,
        texts: Sequence[msgspec.Raw],
        about: str,
        read: Callable[[msgspec.Raw], _T | None],
        *,
        ours: bool = True,
    ) -> list[_T]:
        """As `readable`, and a row that was read before is not read again.

        about: all that `read` knows besides the text. A row that could not be read is not kept.
        """
        known = self._rows
        if len(known) >= ROWS_MAX:
            known.clear()

        def remembered(text: msgspec.Raw) -> _T | None:
            name = about, blake2b(text, digest_size=16).digest()
            try:
                return known[name]
            except KeyError:
                known[name] = row = read(text)
                return row

        return readable(texts, remembered, ours=ours)


def only(rows: Sequence[_T], asked: str, name: Callable[[_T], str]) -> Sequence[_T]:
    """Rows of the symbol that was asked for; all where the path names none.

    BadFrame "symbol" where every row is of another: the answer is not to our question.
    """
    if not asked:
        return rows
    kept = [row for row in rows if name(row) == asked]
    if rows and not kept:
        raise BadFrame("symbol")
    return kept


def at_most(query: Mapping[str, str], most: int, word: str = "limit") -> int:
    """How many rows were asked for; `most` where the path does not say, or says more."""
    said = query.get(word, "")
    return max(1, min(int(said[:9]), most)) if said.isascii() and said.isdigit() else most


@lru_cache(FIGURES_KEPT)
def amount(text: str, places: int = PLACES) -> Decimal:
    """A figure of money or size, exact. ValueError where the text is none."""
    found = _AMOUNT.fullmatch(text)
    if found is None or len(found[1] or "") > places:
        raise ValueError(f"{text[:40]!r} is not an amount")
    return Decimal(text)


@lru_cache(FIGURES_KEPT)
def positive(text: str, places: int = PLACES) -> Decimal:
    """An amount above zero."""
    value = amount(text, places)
    if value <= 0:
        raise ValueError(f"{text[:40]!r} is not above zero")
    return value


def past_funding(
    rows: Sequence[tuple[str, int, str]],
    key: Callable[[str], str],
    query: Mapping[str, str],
    word: str = "symbol",
    places: int = PLACES,
) -> tuple[FundingHistory, ...]:
    """The histories of (symbol, ms, rate) rows: of the symbol that the query's `word` names.

    Raises ValueError for a rate that can be none, BadFrame "symbol" as `only` does.
    """
    by_symbol: dict[str, list[tuple[int, str]]] = {}
    for symbol, ms, rate in only(rows, query.get(word, ""), lambda row: row[0]):
        if abs(amount(rate, places)) >= 1:
            raise ValueError(f"funding rate {rate}")
        by_symbol.setdefault(symbol, []).append((ms, rate))
    most = at_most(query, SETTLED_MAX)
    return tuple(
        FundingHistory(key(symbol), oldest_first(of)[-most:]) for symbol, of in by_symbol.items()
    )


def candles(
    key: str, closes: Iterable[tuple[int, float]], query: Mapping[str, str]
) -> tuple[Candles]:
    """The newest closes (start ms, price), as many as were asked for."""
    return (Candles(key, oldest_first(closes)[-at_most(query, CANDLES_MAX) :]),)


def ladders(
    rows: Iterable[tuple[str, Tier]], key: Callable[[str], str], tiers_in: TierUnit = "quote"
) -> tuple[Tiers, ...]:
    """The risk tiers of each symbol, smallest limit first. ValueError where there is not one."""
    by_symbol: dict[str, list[Tier]] = {}
    for symbol, tier in rows:
        by_symbol.setdefault(symbol, []).append(tier)
    if not by_symbol:
        raise ValueError("no tier")
    return tuple(
        Tiers(key(symbol), tuple(sorted(tiers, key=lambda tier: tier.limit)), tiers_in)
        for symbol, tiers in by_symbol.items()
    )


def oldest_first(rows: Iterable[tuple[int, _V]]) -> list[tuple[int, _V]]:
    """Rows by their time; of two of one time the later said."""
    return sorted(dict(rows).items())


def dated(source: str, server_ms: int) -> str:
    """Where rules came from, with the day where the venue said it."""
    if server_ms <= 0:
        return source
    return f"{source} of {datetime.fromtimestamp(server_ms / 1000, UTC):%Y-%m-%d}"


def half_days(now_ms: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last minute (ms) of each half of the last 24 h, without the running minute."""
    this_minute, half = now_ms - now_ms % MINUTE_MS, 720 * MINUTE_MS
    begin = this_minute - 2 * half
    return (begin, begin + half - MINUTE_MS), (begin + half, this_minute - MINUTE_MS)
