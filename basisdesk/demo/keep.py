"""The state file: what lets a restarted exchange go on with the same market."""

import os
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.demo.funding import MINUTE_MS
from basisdesk.demo.market import Market
from basisdesk.demo.options import DemoOptions
from basisdesk.errors import UserError

STATE_FORMAT = 2


class _State(msgspec.Struct):
    basisdesk_demo: int
    now_ms: int
    market: dict[str, Any]


class Keeper:
    """Writes the state file, whole and at once; does nothing without a path.

    A market is a function of its seed and the minute it stands in, so a file is only due when a
    new minute began: what happened within a minute is drawn again, the same.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._minute = -1

    def save(self, market: Market, now_ms: int, *, only_new: bool = False) -> None:
        """Write the state. only_new: not while the minute is the one saved last."""
        if self._path is None or (only_new and market.minute == self._minute):
            return
        self._minute = market.minute
        state = {"basisdesk_demo": STATE_FORMAT, "now_ms": now_ms, "market": market.dump()}
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            beside.write_bytes(msgspec.json.encode(state))
            os.replace(beside, self._path)
        except OSError as exc:
            raise UserError(
                f"Cannot write the demo's state {self._path}: {exc.strerror}. "
                "Free the place or name another file."
            ) from exc


def market_of(options: DemoOptions, wanted_ms: int) -> tuple[Market, int]:
    """(the market, its time): a new one, or the one of the state file moved on to `wanted_ms`.

    Simulated time never goes back: an earlier `wanted_ms` is replaced by the state's. Of a file of
    an older version only the time is taken over. Raises UserError when the file cannot be used.
    """
    path = options.state
    if path is None or not path.exists():
        return Market(options.seed, options.scenario, wanted_ms), wanted_ms
    try:
        state = msgspec.json.decode(path.read_bytes(), type=_State)
        epoch_ms = max(wanted_ms, state.now_ms)
        if state.basisdesk_demo < STATE_FORMAT:
            return Market(options.seed, options.scenario, epoch_ms), epoch_ms
        market = Market.restored(options.seed, options.scenario, state.market, epoch_ms)
    except (OSError, ValueError) as exc:  # msgspec's errors are ValueErrors
        raise UserError(
            f"The demo's state {path} cannot be read ({exc}). "
            "Delete it to begin a new simulated market."
        ) from exc
    return market, max(epoch_ms, market.minute * MINUTE_MS)
