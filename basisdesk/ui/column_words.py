"""What a plain word over a column means: the tip of a header that is no term and has no own tip.

Pure text: no Qt. A column that means something else by the word brings its own tip.
"""

from basisdesk.ui.glossary import TERMS

COLUMNS: dict[str, str] = {
    "Account": "Where the money lies in the double-entry ledger: assets:cash, expenses:fees.",
    "Alert": "The name you gave the alert.",
    "Arithmetic": "How the amount follows from price and size: 3,097 ADA at 0.7975.",
    "By": "How you are told: message, sound, webhook.",
    "Cause": "The order, fill or settlement that booked it: pair:1:open:long:1 is the first fill "
    "of the long leg of pair 1.",
    "Closed": "When the last leg was closed.",
    "Coin": "The coin that is traded: ADA of ADA/USDT.",
    "Connection": "The socket to a venue: bybit.linear carries Bybit's perpetuals.",
    "Currency": "What the amount is counted in: USDT.",
    "First leg": "The leg that is bought when the pair is opened as shown.",
    "Group": "What kind of thing the feature measures: basis, funding, order flow.",
    "Held": "How long the pair was open: 14m 02s.",
    "In": "What the amount is counted in: USDT.",
    "In one sentence": "What the term means. The chosen one stands whole under the table.",
    "Instrument": "Venue, market and symbol: Bybit perp ADAUSDT.",
    "Last fault": "Why the stream was last lost or restarted; empty is good.",
    "Last said": "What the connection last reported; empty is good.",
    "Last told": "When the alert last fired.",
    "Leg": "Which side of the pair: long was bought, short was sold.",
    "Level": "How grave it is: info, warning, error.",
    "Liquidity": "Taker took what stood in the book, maker waited in it; their fees differ.",
    "Long / short": "What is bought and what is sold: Bybit spot / perp.",
    "Mark": "The mark price at the settlement, in the perpetual's quote currency: 0.3665.",
    "Market": "Spot or perp.",
    "Model": "Our own model, and those that run beside it.",
    "No.": "Number of the posting in the journal: 12,345.",
    "Of": "The coins or pairs that are watched.",
    "Pair": "Coin, and the number of the pair in this account: ADA #12.",
    "Perpetual": "Venue and symbol of the perpetual: Bybit perp ADAUSDT.",
    "Price": "Price of the fill in the instrument's quote currency: 0.36651.",
    "Qty": "Amount of the coin that was traded: 3,097 ADA.",
    "Rate": "What the venue settled for one interval: +0.0184 %.",
    "Received": "What the payment brought, minus is paid: +0.67 USDT.",
    "Message": "What happened, in one sentence.",
    "Second leg": "The leg that is sold when the pair is opened as shown.",
    "Sector": "A group of coins of one trade: L1, Meme, DeFi.",
    "Settled": "When the venue settled.",
    "Side": "Whether the fill bought or sold.",
    "Since": "When this state began.",
    "Source": "Who said it: the desk, or a connection such as bybit.linear.",
    "State": "Live is good; everything else says what is missing.",
    "Stream": "One topic of a connection: orderbook.50.ADAUSDT is 50 levels of its book.",
    "Study": "Which study it was: backtest, sweep, replicate.",
    "Symbol": "What the venue calls it: ADAUSDT.",
    "Tells when": "The line that must be crossed, and for how long.",
    "Term": "The word as it stands on the screen.",
    "Time": "When it happened.",
    "To the line": "How far the nearest one is from the line of the alert.",
    "Trigger": "What is watched; beyond its limit it stops entries or halts.",
    "Venue": "The exchange.",
    "Watches": "The figure that is watched.",
    "What is seen": "What the trigger reads now, in one sentence.",
    "What shows it": "The finding that decides, from a run of the lab.",
    "Why this grade": "What was known of the book when the order was filled.",
}


def plain(caption: str) -> str:
    """A caption without its unit or zone: "Closed, UTC" is "Closed"."""
    return caption.split(",")[0].strip()


def column_tip(header: str) -> str:
    """What stands over a column, in one sentence; "" where nothing is known of it."""
    word = plain(header)
    return TERMS.get(word) or COLUMNS.get(word, "")
