"""What the sector overlay says to one position: the market's word, read from its own side."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from basisdesk.market.state import Market

_TURNED = {"for": "against", "against": "for"}


def sector_word(market: "Market", coin: str, direction: int) -> str:
    """What the overlay says to a pair of this coin: "for", "against" or "".

    `Market.sectors` speaks to who is short the perpetual and is paid by crowding longs ("for": the
    sector runs hot). direction: -1 for the reverse, a borrowed spot leg short against the
    perpetual, which a cold sector pays; two perpetuals count as the first.
    """
    said = market.sectors.get(coin, "")
    return _TURNED.get(said, "") if direction < 0 else said
