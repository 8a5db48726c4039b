"""What the demo exchange can be asked for: the command line's options as one struct."""

from pathlib import Path

import msgspec


class DemoOptions(msgspec.Struct, frozen=True):
    """Options of `basisdesk demo-exchange`.

    port: TCP port on 127.0.0.1; 0 lets the system choose.
    speed: simulated seconds in one real second.
    scenario: a name of `scenarios.py`; spaces, dashes and capitals do not matter, "+" adds one.
    symbol: the Bybit symbol the caller will show first; must be one that is simulated.
    state: file that lets a restarted exchange continue the same market; None forgets.
    epoch_ms: simulated time at the start, UTC ms; None means the wall clock, or the state's
        time where that is later.
    faults: JSON file of faults, see `faults.py`.
    rate: multiplies the messages a second of each order book stream (10 a second at 1).
    tls_cert, tls_key: PEM files; with them every socket is wss and https.
    """

    port: int = 0
    seed: int = 7
    speed: float = 1.0
    scenario: str = "mixed"
    symbol: str = "ADAUSDT"
    state: Path | None = None
    epoch_ms: int | None = None
    faults: Path | None = None
    rate: float = 1.0
    tls_cert: Path | None = None
    tls_key: Path | None = None
