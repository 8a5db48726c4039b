"""Every dialect the exchange speaks."""

from basisdesk.demo.dialect_binance import BinanceDialect
from basisdesk.demo.dialect_bybit import BybitDialect
from basisdesk.demo.dialect_kraken import KrakenDialect
from basisdesk.demo.dialect_okx import OkxDialect
from basisdesk.demo.wire import Dialect


def known_dialects() -> tuple[Dialect, ...]:
    """One a venue, in the order in which paths are tried."""
    return (BybitDialect(), BinanceDialect(), OkxDialect(), KrakenDialect())
