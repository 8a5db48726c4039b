"""Socket faults the exchange commits on request: what, on which connection, when, for how long."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from basisdesk.errors import SettingsError

Kind = Literal["disconnect", "silence", "garbage", "refuse", "slow", "mute"]
SLOW_S = 2.0  # how late a "slow" connection hands out its data

GARBAGE: tuple[bytes, ...] = (
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":17',
    b"\x00\x01\x02 not json",
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":1,"data":{"s":"ADAUSDT",'
    b'"b":[["nan","1"]],"a":[["-1","1"]],"u":2,"seq":2},"cts":1}',
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":1,"data":{"s":"ADAUSDT",'
    b'"b":[[0.5,1]],"a":"none","u":"x","seq":2},"cts":1}',
    b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":1,"data":{"s":"ADAUSDT",'
    b'"b":[["1e999","1"]],"a":[["0","0"]],"u":2,"seq":2},"cts":1}',
    b'{"topic":"tickers.NOPEUSDT","type":"delta","data":{"symbol":"NOPEUSDT"},"ts":1}',
    b"[]",
    b"",
)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault. Times are REAL seconds since the exchange began to listen.

    disconnect: every socket of the connection is cut, and new ones are refused for `for_s`.
    silence: no market data; control messages are answered. mute: nothing at all is sent.
    garbage: broken messages between the good ones. refuse: new sockets get HTTP 503.
    slow: data arrives two seconds late.
    """

    at_s: Annotated[float, msgspec.Meta(ge=0)]
    kind: Kind
    conn: Literal["spot", "linear"]
    for_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Faults:
    """A list of faults, asked by time."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._faults = faults
        self._cuts = [fault for fault in faults if fault.kind == "disconnect"]

    def active(self, kind: Kind, conn: str, now_s: float) -> bool:
        """Whether such a fault is on."""
        return any(
            fault.kind == kind and fault.conn == conn
            and fault.at_s <= now_s < fault.at_s + fault.for_s
            for fault in self._faults
        )  # fmt: skip

    def cuts(self, now_s: float) -> list[str]:
        """Connections to cut now; each disconnect is told once."""
        due = [fault for fault in self._cuts if fault.at_s <= now_s]
        self._cuts = [fault for fault in self._cuts if fault.at_s > now_s]
        return [fault.conn for fault in due]


def read_faults(path: Path | None) -> Faults:
    """Faults of a JSON file (a list of objects); none for None. Raises SettingsError."""
    if path is None:
        return Faults()
    try:
        return Faults(tuple(msgspec.json.decode(path.read_bytes(), type=list[Fault])))
    except OSError as exc:
        raise SettingsError(f"Cannot read faults file {path}: {exc.strerror}.") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"Faults file {path} cannot be used: {exc}.") from exc
