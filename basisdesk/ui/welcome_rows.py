"""The words of the welcome: what this is, what live means, and the pairs to begin with. Pure."""

from typing import NamedTuple

from basisdesk.config import Settings
from basisdesk.venues.instrument import venue_title

VENUE = "bybit"  # of the pairs offered here; the picker has all
COINS = ("ADA", "BTC", "ETH", "SOL", "XRP", "DOGE")


class Offer(NamedTuple):
    """A pair to begin with. name: as the list shows it; pair: (spot, perpetual)."""

    name: str
    pair: tuple[str, str]


def about(settings: Settings) -> str:
    """What this is, in three sentences."""
    start = f"{settings.account.start:,.0f} {settings.account.currency}"
    return (
        "Here you practise the spot-perp basis trade: buy a coin, short its perpetual future, and "
        "live off the gap between the two and the funding payments. All money is paper, "
        f"{start} of it, and every fill pays the fees, spread and funding that a real one would. "
        "There is no key to enter and no order ever leaves this machine."
    )


def demo_about() -> str:
    """What the demo is."""
    return (
        "A market made up on this machine, four venues in small. Works without a network, and can "
        "be made to fail for practice. A good place to begin."
    )


def live_about(settings: Settings) -> str:
    """What live means: who is asked, and what is sent."""
    venues = {VENUE, *(settings.scanner.venues if settings.scanner.on else ())}
    names = [venue_title(venue) for venue in sorted(venues)]
    said = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"Real prices from the public feeds of {said}. They are sent subscriptions and requests "
        "for public pages, nothing else. They see your internet address, as any website does."
    )


def offers(shown: tuple[str, str]) -> tuple[Offer, ...]:
    """The pairs in the list, the one on the screen first where it is another one."""
    known = [
        Offer(f"{coin} spot and perpetual, {venue_title(VENUE)}", pair_of(coin)) for coin in COINS
    ]
    if shown[0] and shown not in [offer.pair for offer in known]:
        known.insert(0, Offer("The pair on the screen now", shown))
    return tuple(known)


def pair_of(coin: str) -> tuple[str, str]:
    """(spot, perpetual) of a coin in USDT."""
    return (f"{VENUE}:spot:{coin}USDT", f"{VENUE}:perp:{coin}USDT")


def button_text(mode: str) -> str:
    """What the primary button will do."""
    return "Start with live prices" if mode == "live" else "Start on the demo exchange"
