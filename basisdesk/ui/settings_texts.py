"""What each setting is called, its unit and one sentence of what it does. Words only.

Ranges, choices and defaults come from the settings structs themselves; see settings_rows.py.
"""

from typing import NamedTuple

COUNT = "count"  # the unit of a number that counts things


class Words(NamedTuple):
    """Of one key. scale: the screen's figure in one of the file's; 100 shows a fraction as %."""

    title: str
    unit: str
    about: str
    scale: int = 1


class Group(NamedTuple):
    """One page. keys: the tables of the file that it shows; the longest that fits a key has it."""

    title: str
    about: str
    keys: tuple[str, ...]


def _share(title: str, about: str, unit: str = "%") -> Words:
    return Words(title, unit, about, 100)


GROUPS = (
    Group("Window", "How the program looks and how often it is drawn.", ("ui",)),
    Group("Paper account", "What the account begins with and how the paper venue fills.",
          ("account", "paper")),
    Group("Fees", "What each venue takes of a trade, as a share of the notional.", ("fees",)),
    Group("Borrowing", "What a borrowed coin or currency costs while it is owed.", ("borrow",)),
    Group("Risk", "Limits of the whole desk. Some stop new pairs, some halt all trading.",
          ("risk",)),
    Group("Scanner", "What the scanner looks at and what it counts as an opening.", ("scanner",)),
    Group("Alerts", "How an alert reaches you.", ("alerts",)),
    Group("Forecast", "What counts as success, and when the forecast speaks.", ("forecast",)),
    Group("Outside numbers", "Numbers from a file or an address of your own, read by the forecast.",
          ("forecast.indicators",)),
    Group("Recording", "The tapes of your sessions and the disk they may fill.", ("tape",)),
    Group("Network", "The way to the venues. Leave an address empty to use the venue's own.",
          ("network", "feeds")),
    Group("Demo exchange", "The simulated market. The command line may set these for one run.",
          ("demo",)),
)  # fmt: skip

_RATE = "% of notional"

WORDS: dict[str, Words] = {
    "ui.theme": Words("Theme", "", "Dark, light, or high contrast with at least 7:1."),
    "ui.font_scale": Words("Font scale", "x", "Size of all text and of what surrounds it; 1 is a "
                           "12 px base."),
    "ui.utc": Words("Times in UTC", "", "Shows every time in UTC; off shows your computer's zone."),
    "ui.reduced_motion": Words("Reduced motion", "", "Nothing tints when its value changes and "
                               "docks do not slide."),
    "ui.colour_blind": Words("Colour-blind pair", "", "Gain is blue and loss is orange instead of "
                             "green and red."),
    "ui.repaint_ms": Words("Repaint every", "ms", "Time between two paintings of figures and "
                           "curves; more spares the processor."),
    "account.start": Words("Starting cash", "USDT", "Deposited once when an account is made. An "
                           "account that exists keeps its own; resetting it deposits this anew."),
    "account.currency": Words("Account currency", "", "What money is counted in; fixed when an "
                              "account is made."),
    "paper.latency_ms": Words("Latency", "ms", "Time from sending a paper order until it meets the "
                              "book."),
    "paper.jitter_ms": Words("Latency jitter", "ms", "Up to so much is added to the latency of "
                             "each order, evenly spread."),
    "paper.liquidity_memory": Words("Liquidity memory", "", "What your orders took from the book "
                                    "is not there for the next one until the level changes."),
    "paper.venue_latency_ms.VENUE": Words("Latency of {venue}", "ms", "Instead of the latency "
                                          "above; empty uses that one."),
    "paper.price_band_pct": Words("Price band", "%", "A market order that would trade so far "
                                  "beyond the mark price is refused by the paper venue."),
    "fees.VENUE.spot_taker": _share("Spot taker", "Of a spot order that trades at once.", _RATE),
    "fees.VENUE.spot_maker": _share("Spot maker", "Of a spot order that rested in the book.",
                                    _RATE),
    "fees.VENUE.perp_taker": _share("Perp taker", "Of a perpetual order that trades at once.",
                                    _RATE),
    "fees.VENUE.perp_maker": _share("Perp maker", "Of a perpetual order that rested in the book.",
                                    _RATE),
    "fees.VENUE.spot_buy_fee_in": Words("Spot buy fee in", "", "What the fee of a spot buy is "
                                        "taken in; in the bought coin, a little less arrives."),
    "fees.VENUE.source": Words("Source", "", "Where these rates come from; shown beside every fee "
                               "that is counted with them."),
    "borrow.VENUE.hourly_rate": _share("Interest", "On what is borrowed, charged each hour.",
                                       "% per hour"),
    "borrow.VENUE.source": Words("Source", "", "Where this rate comes from."),
    "risk.leverage_max": Words("Leverage at most", "x", "Of a perpetual leg. More than 5 cannot "
                               "be set."),
    "risk.account_risk": _share("Risk of a pair", "Of equity that a suggested size may lose at "
                                "its stop.", "% of equity"),
    "risk.quote_age_ms_max": Words("Quote age at most", "ms", "An older quote is not traded on."),
    "risk.leg_skew_ms_max": Words("Leg skew at most", "ms", "Two quotes that lie further apart in "
                                  "time are not one basis."),
    "risk.loop_gap_ms_max": Words("Loop gap at most", "ms", "After a longer pause of the program "
                                  "no order is sent until fresh quotes are in."),
    "risk.money_rate_year": _share("Money rate", "What cash would earn elsewhere; holding costs "
                                   "count it.", "% per year"),
    "risk.pairs_max": Words("Open pairs at most", COUNT, "More are refused."),
    "risk.reserve": _share("Reserve", "Of equity that entries leave idle.", "% of equity"),
    "risk.impact_of_edge_max": _share("Slippage at most", "A suggested size may cost so much of "
                                      "its edge in slippage.", "% of the edge"),
    "risk.size_cuts": Words("Size cuts", "", "Below so much of the starting cash suggested sizes "
                            "are multiplied by the factor: 80 %: 0.5, 60 %: 0.25."),
    "risk.hedge_alarm_bp": Words("Hedge drift alarm", "bp", "Told when the legs' sizes differ by "
                                 "more."),
    "risk.unhedged_s_max": Words("Alone at most", "s", "A leg that stands alone longer is unwound "
                                 "and entries stop."),
    "risk.drawdown_max": _share("Drawdown at most", "Halts trading when equity is so far below "
                                "its peak.", "% of equity"),
    "risk.daily_loss_max": _share("Daily loss at most", "Halts trading when so much was lost since "
                                  "00:00 UTC.", "% of equity"),
    "risk.rolling_pairs": Words("Last pairs looked at", COUNT, "So many closed pairs are added up "
                                "for the next limit."),
    "risk.rolling_loss_max": _share("Their loss at most", "Halts trading when the last pairs lost "
                                    "so much together.", "% of equity"),
    "risk.win_rate_min": _share("Win rate at least", "Entries stop while the share of winning "
                                "pairs is lower.", "% of pairs"),
    "risk.win_rate_pairs": Words("Judged over", COUNT, "The win rate counts from so many closed "
                                 "pairs on."),
    "risk.liq_distance_min_pct": Words("Liquidation distance at least", "%", "From mark to "
                                       "liquidation price; entries stop when a leg is closer."),
    "risk.stale_s_max": Words("Silence at most", "s", "Entries stop when a held leg has had no "
                              "quote for so long."),
    "risk.clock_jump_s_max": Words("Clock jump at most", "s", "Entries stop after a larger jump of "
                                   "the clock or pause of the machine."),
    "scanner.on": Words("Scanner", "", "Off reads no page of any venue and shows no openings."),
    "scanner.coins": Words("Coins", "", "Those that are looked at, by their symbols."),
    "scanner.venues": Words("Venues", "", "Those that are looked at."),
    "scanner.size": Words("Size of an opening", "USDT", "Openings are worth what they would bring "
                          "at this size."),
    "scanner.capacity_bp": Words("Capacity at", "bp", "Price impact of both legs together that the "
                                 "capacity allows."),
    "scanner.hold_h": Words("Hold", "h", "Time that a net edge counts funding for."),
    "scanner.short_spot": Words("Short spot too", "", "Counts openings that sell borrowed coins."),
    "scanner.poll_s": Words("Pause between readings", "s", "Of one venue's pages; less asks more "
                            "of the venues."),
    "scanner.read_on": Words("Signal read on", "", "The venue whose funding is the signal."),
    "scanner.trade_on": Words("Traded on", "", "The venue the signal is traded on; a disagreement "
                              "of the two is told."),
    "scanner.gap_trigger": _share("Funding gap trigger", "Gap of two venues that counts as open.",
                                  "% per 8 h"),
    "scanner.btc_eth_trigger": _share("BTC-ETH trigger", "Gap of BTC against ETH that counts as "
                                      "open.", "% per 8 h"),
    "scanner.normal_band": _share("Normal band", "Gaps within it are called normal.", "% per 8 h"),
    "scanner.wide": _share("Wide from", "Gaps above it are called wide.", "% per 8 h"),
    "scanner.funding_days": Words("Funding kept", "days", "Past funding kept on disk."),
    "scanner.minute_days": Words("Minutes kept", "days", "Past minute prices kept on disk."),
    "scanner.disk_mb_max": Words("Scanner's disk at most", "MB", "Its past beyond that is dropped, "
                                 "oldest first."),
    "alerts.notify": Words("Messages", "", "Shows alerts as messages of the desktop, or over the "
                           "window."),
    "alerts.sound": Words("Sound", "", "Plays the desktop's short sound with an alert."),
    "alerts.webhook": Words("Webhook", "", "An https address that alerts are sent to; empty sends "
                            "nothing. It is reached directly, not through the proxy."),
    "alerts.webhook_hosts": Words("Allowed webhook hosts", "", "Hosts that a webhook may go to; "
                                  "empty allows the webhook's own."),
    "forecast.on": Words("Forecast", "", "Off learns nothing and shows no confidence."),
    "forecast.challengers": Words("Challengers", "", "Other models beside ours, in a process of "
                                  "their own; needs the extra package basisdesk[ai]."),
    "forecast.margin": _share("Margin over break-even", "By how much the probability has to be "
                              "above the break-even one.", "% points"),
    "forecast.horizon_h": Words("Horizon", "h", "Success has to come before so many hours. Another "
                                "rule is another model, which learns from the start."),
    "forecast.gain_bp": Words("Success from", "bp", "Net profit that counts as success. Another "
                              "rule is another model, which learns from the start."),
    "forecast.stop_bp": Words("Failure from", "bp", "Basis against you that counts as failure. "
                              "Another rule is another model, which learns from the start."),
    "forecast.indicators.NAME.file": Words("File", "", "A CSV file of time and value; a file or an "
                                           "address, one of the two."),
    "forecast.indicators.NAME.unit": Words("Its unit", "", "Shown behind the number."),
    "forecast.indicators.NAME.every_s": Words("Look every", "s", "Time between two looks; of an "
                                              "address 10 s at least."),
    "forecast.indicators.NAME.url": Words("Address", "", "An https address that gives JSON. It is "
                                          "reached directly, not through the proxy."),
    "forecast.indicators.NAME.path": Words("Path to the number", "", "JSON pointer, such as "
                                           "/data/0/value."),
    "forecast.indicators.NAME.time_path": Words("Path to its time", "", "JSON pointer; without one "
                                                "the number is as old as the answer."),
    "forecast.indicators.NAME.fresh_s": Words("Late after", "s", "An older number is late; empty "
                                              "means two looks."),
    "forecast.indicators.NAME.feature": Words("Enters the model", "", "Eight of all may. Adding "
                                              "one begins a new model."),
    "forecast.indicators.NAME.coin": Words("Only for coin", "", "Symbol of the coin it speaks of; "
                                           "empty for all."),
    "forecast.indicators.NAME.signed": Words("Speaks for the perp", "", "Its mirror counts for the "
                                             "reverse side; off counts alike for both."),
    "tape.record": Words("Record sessions", "", "Writes a tape of each session that can be "
                         "replayed."),
    "tape.scan": Words("Record scanner pages", "", "The scanner's pages too. No trade depends on "
                       "them, and they are large."),
    "tape.folder": Words("Tape folder", "", "An absolute path for new tapes; empty keeps them in "
                         "the profile. Old tapes stay where they are."),
    "tape.disk_mb_max": Words("Tapes at most", "MB", "Recording stops at it. Nothing is deleted "
                              "for you."),
    "network.proxy": Words("Proxy", "", "http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT, for "
                           "venues' sockets and pages; empty goes directly. SOCKS is not spoken."),
    "feeds.VENUE.CHANNEL": Words("{venue} {channel}", "", "wss:// address instead of the venue's "
                                 "own, such as a regional host."),
    "feeds.VENUE.rest": Words("{venue} HTTP", "", "https:// address instead of all hosts of the "
                              "venue's pages."),
    "demo.seed": Words("Seed", COUNT, "The same seed and scenario give the same market."),
    "demo.scenario": Words("Scenario", "", "What the market does: mixed, 2021 mania, openings, "
                           "crash and more; several joined by a plus sign."),
    "demo.speed": Words("Speed", "x", "Seconds of the market in one of yours."),
    "demo.symbol": Words("Symbol", "", "The pair that is shown first, such as ADAUSDT."),
}  # fmt: skip

CHOICES = {
    "binance": "Binance", "bybit": "Bybit", "kraken": "Kraken", "okx": "OKX",
    "dark": "Dark", "light": "Light", "contrast": "High contrast",
    "base": "The bought coin", "quote": "The currency paid",
}  # fmt: skip

# What holds where a key is not set.
UNSET = {
    "paper.venue_latency_ms.VENUE": "the latency above",
    "forecast.indicators.NAME.fresh_s": "two looks",
    "tape.folder": "in the profile",
}
