"""The public trades that a leg keeps for the queue of a resting order."""

from basisdesk.config import Settings
from basisdesk.events import Quote, Trade
from basisdesk.market.leg import PRINTS_KEPT
from basisdesk.market.state import Market

KEY = "bybit:spot:ADAUSDT"
QUOTES, TRADES = "bybit.spot/orderbook.1.ADAUSDT", "bybit.spot/publicTrade.ADAUSDT"


def test_trades_are_kept_with_the_side_of_their_taker_and_no_more_than_the_last_ones():
    market = Market(Settings())
    market.apply(Quote(KEY, QUOTES, 0.3639, 10.0, 0.3640, 10.0, 0, 1), 1_000)
    market.apply(Trade(KEY, TRADES, 0.3639, 5.0, False, 0), 2_000)
    market.apply(Trade(KEY, TRADES, 0.3640, 7.0, True, 0), 2_000)
    market.apply(Trade(KEY, TRADES, 3.64, 1.0, True, 0), 3_000)  # no such price: not believed
    leg = market.leg(KEY)
    assert list(leg.prints) == [(2_000, 0.3639, 5.0, "sell"), (2_000, 0.3640, 7.0, "buy")]
    for number in range(PRINTS_KEPT):
        market.apply(Trade(KEY, TRADES, 0.3640, 1.0, True, 0), 4_000 + number)
    assert (len(leg.prints), leg.prints[0][0]) == (PRINTS_KEPT, 4_000)
