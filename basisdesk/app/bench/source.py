"""Where the benchmark's frames come from: the demo exchange, run and recorded as users do it."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from basisdesk.app.own_program import own_command
from basisdesk.app.record import RecordOptions, record
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import Frame
from basisdesk.lab.tape import TapeReader

SYMBOL = "ADAUSDT"
LEGS = (f"bybit:spot:{SYMBOL}", f"bybit:perp:{SYMBOL}")

# Ten coins that every venue lists, as (spot, perp) legs: forty pairs on four venues.
COINS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX", "DOT")


@dataclass(frozen=True)
class Exchange:
    """A running demo exchange. sockets: WebSocket address of each connection."""

    pid: int
    rest: str
    sockets: dict[str, str]

    def feeds(self) -> dict[str, dict[str, str]]:
        """The `feeds` settings that send a desk here, for every venue."""
        made: dict[str, dict[str, str]] = {}
        for conn, url in self.sockets.items():
            venue, _, channel = conn.partition(".")
            made.setdefault(venue, {"rest": self.rest})[channel] = url
        return made


@contextmanager
def demo_exchange(rate: float) -> Iterator[Exchange]:
    """A demo exchange of its own process that sends `rate` times its usual messages."""
    command = own_command(["demo-exchange", "--rate", str(rate)])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = msgspec.json.decode(process.stdout.readline())
            yield Exchange(process.pid, said["rest"], said["sockets"])
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def pairs_of(venue: str) -> list[tuple[str, str]]:
    """The venue's ten pairs, spot leg first."""
    if venue == "okx":
        names = [(f"{coin}-USDT", f"{coin}-USDT-SWAP") for coin in COINS]
    elif venue == "kraken":
        names = [(f"{c}/USD", f"PF_{'XBT' if c == 'BTC' else c}USD") for c in COINS]
    else:
        names = [(f"{coin}USDT", f"{coin}USDT") for coin in COINS]
    return [(f"{venue}:spot:{spot}", f"{venue}:perp:{perp}") for spot, perp in names]


def collect(legs: Sequence[str], rate: float, seconds: float, count: int) -> list[Frame]:
    """What a desk that watches these legs records: frames of all its feeds, in order.

    Ends with the `count`-th message of a socket. Raises UserError when there are fewer than half.
    """
    with demo_exchange(rate) as exchange, tempfile.TemporaryDirectory() as folder:
        settings = msgspec.structs.replace(Settings(), feeds=exchange.feeds())
        tape = Path(folder) / "bench.tape"
        record(RecordOptions(tuple(legs), seconds, tape, {}, settings))
        frames: list[Frame] = []
        messages = 0
        for frame in TapeReader(tape):
            frames.append(frame)
            messages += is_message(frame)
            if messages >= count:
                break
    if messages < count / 2:
        raise UserError(f"bench: only {messages} messages came in {seconds:g} s; try again alone.")
    return frames


def is_message(frame: Frame) -> bool:
    """It came over a socket of a venue: no HTTP answer, nothing of our own."""
    return not frame.conn.startswith("desk.") and not frame.conn.endswith((".rest", ".scan"))
