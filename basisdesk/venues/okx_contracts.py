"""Coins in one OKX swap contract: what we know before the venue has told us.

OKX counts swaps in contracts, in books, trades and open interest alike. Coins = contracts x ctVal x
ctMult, and both figures come only over HTTP (`public/instruments`). A price is per coin already.

The table below lets the common coins flow before that answer is there. What the venue says always
wins over it. For a swap in neither, no size is guessed: its messages are refused as "contract".
"""

from decimal import Decimal

AS_OF = "2026-08-31"  # when the figures were last seen: linear swaps settled in USDT, ctMult 1

_COINS_PER_CONTRACT = {
    "BTC": "0.01",
    "ETH": "0.1",
    "SOL": "1",
    "ADA": "100",
    "XRP": "100",
    "DOGE": "1000",
    "PEPE": "10000000",
}


def known_contracts() -> dict[str, Decimal]:
    """A fresh table of the built-in values: coins in one contract by instrument id."""
    return {f"{coin}-USDT-SWAP": Decimal(size) for coin, size in _COINS_PER_CONTRACT.items()}
