"""One reader for each kind of recording: its lines to frames.

raw-jsonl is our own format and is held to its promises: a line that breaks them is an error. The
recordings of other collectors are taken as they are: a line that makes no sense is counted and
left out, for a collector that was killed leaves one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import NamedTuple

import msgspec

from basisdesk.errors import UserError
from basisdesk.events import Frame
from basisdesk.lab.recordings import T_NS_MAX, Source, Tally, lines

SECOND_NS = 1_000_000_000

# Paths tell the venues apart, whatever host (a regional one, a proxy) they were asked of.
_CONN_OF_PATH = {
    "/v5/public/spot": "bybit.spot",
    "/v5/public/linear": "bybit.linear",
    "/ws/v5/public": "okx.public",
    "/v2": "kraken.spot",
    "/ws/v1": "kraken.futures",
    "/public/stream": "binance.public",
    "/market/stream": "binance.market",
}
_REST_OF_PATH = {
    "/v5/": "bybit.rest",
    "/api/v5/": "okx.rest",
    "/api/v3/": "binance.rest",
    "/fapi/": "binance.rest",
    "/0/public/": "kraken.rest",
    "/derivatives/": "kraken.rest",
}
# What only messages of one connection look like, for files that name no address.
_CONN_OF_MARK = {b'"arg":{"channel":': "okx.public", b'"product_id': "kraken.futures"}

_DEPTH_PATH = {"binance.spot": "/api/v3/depth", "binance.public": "/fapi/v1/depth"}
_STREAM = re.compile(rb'"stream":"([a-z0-9]{1,40})@')
_STREAM_LIMIT = 2_000  # lines looked ahead for the symbol of a bare depth snapshot
_STAMP_TEXT = re.compile(rb"(\d{1,12}(?:\.\d{1,12})?): ")
_URL_LINE = re.compile(rb"(https?://\S+) -> (\d{1,12}(?:\.\d{1,12})?): ")
_NOT_RECEIVED = re.compile(rb"configuration: |\S+ <-+>? ")


class Plan(NamedTuple):
    """What the readers of one import share: connection names of the recordings to ours."""

    conns: dict[str, str]
    tally: Tally


Reader = Callable[[Source, Plan], Iterable[Frame]]


class _RawLine(msgspec.Struct):
    t_ns: int
    conn: str
    data: str
    path: str = ""


class _CryptofeedLine(msgspec.Struct):
    t: str
    ts: Decimal = Decimal(0)
    conn: str = ""
    data: str = ""
    url: str = ""
    addr: str = ""


_raw_line = msgspec.json.Decoder(_RawLine).decode
_cryptofeed_line = msgspec.json.Decoder(_CryptofeedLine).decode
_any_json = msgspec.json.Decoder(msgspec.Raw).decode


def _rest_payload(path: str, data: str) -> bytes:
    return msgspec.json.encode({"path": path, "data": data})


def _by_time(frames: Iterable[Frame]) -> list[Frame]:
    """Frames by stamp, equal stamps as written."""
    return sorted(frames, key=attrgetter("t_ns"))


# --- raw-jsonl ------------------------------------------------------------------------------------


def read_raw_jsonl(source: Source, _plan: Plan) -> Iterator[Frame]:
    """Lines `{"t_ns", "conn", "data"}`; REST answers carry `path` too. In time order."""
    last_ns = 0
    for number, line in enumerate(lines(source.path), 1):
        if not line.strip():
            continue
        try:
            row = _raw_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise UserError(
                f"{source.path} line {number} is not raw-jsonl: {exc}. Expected "
                '{"t_ns": int, "conn": "bybit.spot", "data": "<payload text>"}.'
            ) from exc
        if not 0 <= row.t_ns < T_NS_MAX:
            raise UserError(f"{source.path} line {number}: t_ns {row.t_ns} is no time.")
        if row.t_ns < last_ns:
            raise UserError(
                f"{source.path} is not in time order: t_ns {row.t_ns} follows {last_ns}. Sort it."
            )
        last_ns = row.t_ns
        conn = source.conn or row.conn
        data = _rest_payload(row.path, row.data) if conn.endswith(".rest") else row.data.encode()
        yield Frame(conn, data, row.t_ns)


# --- hftbacktest ----------------------------------------------------------------------------------


def read_hftbacktest(source: Source, plan: Plan) -> Iterator[Frame]:
    """Lines `<receive ns> <payload>` as hftbacktest's collectors write them, in order of arrival.

    A Binance depth snapshot over HTTP stands there bare, `{"lastUpdateId": ...}`, without a word
    of its symbol; it is the one of the streams beside it.
    """
    if not source.conn:
        raise UserError(
            f"{source.path} does not say which connection it was. Write "
            f"{source.path}@binance.spot, or @binance.public for USD-M futures."
        )
    snapshot_path = _DEPTH_PATH.get(source.conn, "")
    symbol = ""
    last_ns = 0
    for number, line in enumerate(lines(source.path, plan.tally), 1):
        stamp, _, payload = line.rstrip().partition(b" ")
        if not line.strip():
            continue
        if not (stamp.isdigit() and len(stamp) < 20 and int(stamp) < T_NS_MAX):
            plan.tally.broke(source.path, number, "no receive time in nanoseconds")
            continue
        if why := _not_whole(payload):
            plan.tally.broke(source.path, number, why)
            continue
        t_ns = int(stamp)
        plan.tally.restamped += t_ns < last_ns
        last_ns = t_ns = max(t_ns, last_ns)
        if snapshot_path and payload.startswith(b'{"lastUpdateId":'):
            symbol = symbol or _symbol_of(source)
            path = f"{snapshot_path}?symbol={symbol}&limit=1000"
            yield Frame("binance.rest", _rest_payload(path, payload.decode()), t_ns)
        else:
            yield Frame(source.conn, payload, t_ns)


def _symbol_of(source: Source) -> str:
    """The one symbol of a file's streams. Raises UserError when there is none, or more than one."""
    found: set[str] = set()
    for number, line in enumerate(lines(source.path, Tally())):
        if named := _STREAM.search(line[:120]):
            found.add(named[1].decode().upper())
        if number > _STREAM_LIMIT or len(found) > 1:
            break
    if len(found) != 1:
        said = "no stream" if not found else "streams of several symbols"
        raise UserError(f"{source.path} holds a depth snapshot but {said}, so it has no symbol.")
    return found.pop()


# --- cryptofeed -----------------------------------------------------------------------------------


def read_cryptofeed(source: Source, plan: Plan) -> list[Frame]:
    """Lines of cryptofeed's raw recorder, JSON or text. Written by connection, so sorted here."""
    made: list[Frame] = []
    for number, line in enumerate(lines(source.path, plan.tally), 1):
        if not line.strip():
            continue
        read = _json_form if line.startswith(b"{") else _text_form
        frame = read(source, plan, line)
        if isinstance(frame, str):
            plan.tally.broke(source.path, number, frame)
        elif frame is None:
            plan.tally.skipped += 1
        else:
            made.append(frame)
    return _by_time(made)


def _json_form(source: Source, plan: Plan, line: bytes) -> Frame | str | None:
    """One line with `t` one of header, http, connect, send, recv; a sentence when it is broken."""
    try:
        row = _cryptofeed_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as exc:
        return f"not a cryptofeed line, {exc}"
    if row.t not in ("http", "recv"):
        return None
    t_ns = _nanoseconds(row.ts)
    if t_ns is None:
        return "ts is no time"
    if row.t == "http":
        return _answer(row.url, row.data, t_ns)
    return Frame(source.conn or _conn_of(source, plan, row.conn), row.data.encode(), t_ns)


def _text_form(source: Source, plan: Plan, line: bytes) -> Frame | str | None:
    """One line `ts: payload`, or `URL -> ts: payload`; a sentence when it is broken."""
    line = line.rstrip(b"\r\n")
    if asked := _URL_LINE.match(line):
        payload = line[asked.end() :]
        if why := _not_whole(payload):
            return why
        t_ns = _nanoseconds(Decimal(asked[2].decode()))
        return _answer(asked[1].decode("ascii", "replace"), payload.decode(), t_ns or 0)
    stamp = _STAMP_TEXT.match(line)
    if stamp is None:
        return None if _NOT_RECEIVED.match(line) else "not `time: payload`"
    payload = line[stamp.end() :]
    if why := _not_whole(payload):
        return why
    t_ns = _nanoseconds(Decimal(stamp[1].decode()))
    return Frame(source.conn or _conn_of(source, plan, str(source.path)), payload, t_ns or 0)


def _answer(url: str, data: str, t_ns: int) -> Frame | str:
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    conn = next((conn for start, conn in _REST_OF_PATH.items() if path.startswith(start)), "")
    if not conn:
        return f"{path[:60]} is no path of a venue of ours"
    return Frame(conn, _rest_payload(path, data), t_ns)


def _conn_of(source: Source, plan: Plan, name: str) -> str:
    conn = plan.conns.get(name, "")
    if not conn:
        raise UserError(
            f"{source.path} does not say which connection {name} was. Give the file with the "
            f"connect lines too, or write {source.path}@bybit.spot."
        )
    return conn


def cryptofeed_conns(files: Sequence[Source]) -> dict[str, str]:
    """Their names of connections to ours; in the text form the file's own name stands for it.

    By the address of a connect or send line, else by what the messages look like, else the one
    that all other files of this import are.
    """
    conns: dict[str, str] = {}
    seen: set[str] = set()
    unknown: list[str] = []
    for source in files:
        if source.conn:
            seen.add(source.conn)
            continue
        name = str(source.path)
        for line in lines(source.path, Tally()):
            if line.startswith(b"{"):
                _note_address(line, conns)
            elif conn := _conn_of_text(line):
                seen.add(conn)
                conns.setdefault(name, conn)
                break
        else:
            unknown.append(name)
    if len(seen) == 1:
        conns |= dict.fromkeys(unknown, *seen)
    return conns


def _note_address(line: bytes, conns: dict[str, str]) -> None:
    if b'"connect"' not in line[:64] and b'"send"' not in line[:64]:
        return  # the long data lines need not be decoded twice
    try:
        row = _cryptofeed_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError):
        return  # the reader says which line and why
    if conn := _conn_of_address(row.addr):
        conns[row.conn] = conn


def _conn_of_text(line: bytes) -> str:
    """The connection that one line of the text form gives away, or ""."""
    if line.startswith((b"ws://", b"wss://")):
        return _conn_of_address(line.split(b" ", 1)[0].decode("ascii", "replace"))
    if _STAMP_TEXT.match(line):
        return next((c for mark, c in _CONN_OF_MARK.items() if mark in line[:400]), "")
    return ""


def _conn_of_address(address: str) -> str:
    path = "/" + address.split("://", 1)[-1].partition("/")[2].partition("?")[0]
    return _CONN_OF_PATH.get(path, "")


# --- small ones -----------------------------------------------------------------------------------


def _nanoseconds(seconds: Decimal) -> int | None:
    """A time in seconds as nanoseconds; None for what is no time."""
    try:
        fits = seconds.is_finite() and 0 <= seconds < T_NS_MAX // SECOND_NS
        return int(seconds * SECOND_NS) if fits else None
    except InvalidOperation:
        return None


def _not_whole(payload: bytes) -> str:
    """Why a payload is not all of a message, "" when it is. A bare word ("pong") is one."""
    try:
        payload.decode()
        if payload.startswith((b"{", b"[")):
            _any_json(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        return f"its payload is not whole, {exc}"
    return "" if payload else "no payload"
