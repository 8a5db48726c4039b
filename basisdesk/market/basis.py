"""The basis of one pair of legs: mid, executable at size, fair, and how unusual it is.

Basis is always (perp - spot) / spot in basis points, prices in quote (quant.md 2.1). `open` is what
going long spot and short perp would lock in at the ticket's size, `close` what leaving would cost;
for the reverse pair the two lines change places. Where the legs are priced in two currencies, the
perp's prices are first converted at the middle of the cross rate, in all three lines: what the
conversion itself costs is on the ticket.
"""

import math
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from basisdesk.config import Settings
from basisdesk.market.backfill import HOLE_S, minutes, seed_rows
from basisdesk.market.combo import NO_COMBO, ComboGap, combo_now
from basisdesk.market.cross import Fx, cross_rate
from basisdesk.market.day_series import FINE_ROWS, DaySeries
from basisdesk.market.fair import fair_of_rule_bp
from basisdesk.market.stats import EwStats
from basisdesk.market.words import (
    LegName,
    doubtful,
    missing,
    other_unit,
    too_far_apart,
    too_old,
)
from basisdesk.venues.instrument import FundingRule, split_key, split_symbol

if TYPE_CHECKING:
    from collections.abc import Callable

    from basisdesk.events import Candles, ComboQuote
    from basisdesk.market.leg import Leg

COLUMNS = (
    "spot", "perp", "mid_bp", "open_bp", "close_bp", "mean_bp", "sd_bp", "fair_bp", "funding_pct",
    "combo_bid_bp", "combo_ask_bp",
)  # fmt: skip
OUTAGES_MAX = 500
SAMPLE_NS = 100_000_000  # one row in each tenth of a second
BAND_TAU_S = 7_200.0  # time constant of the mean and its bands (quant.md 3, z_2h)
SD_FLOOR_BP = 0.3  # quant.md 2.19
SILENT_MS_MIN = 5_000  # a leg silent so long is an outage; Bybit repeats a quiet top every 3 s
HOLE_S_MIN = 30.0  # no row for so long, and 10 times longer than usual: the curve is broken
REWARM_ROWS_MAX = 36_000  # newest live rows told again to the statistics after a backfill
RATIO_MIN, RATIO_MAX = 0.8, 1.25  # perp over spot; beyond it the legs do not count the same thing
_USUAL = FundingRule()


class BasisNow(msgspec.Struct, frozen=True, gc=False):
    """One reading of a pair. NaN where unknown.

    mid_bp: of the mids. open_bp, close_bp: executable at the ticket's size, NaN when the shown
    books are too thin; fillable_open, fillable_close: base that both books would fill then.
    mean_bp, sd_bp, z: time-weighted, without this reading; `warm` when the memory is full.
    fair_bp: clamp-aware. fees_bp: four taker fees; round_trip_bp: fees and both spreads at size.
    stale: "" or the sentence why no trade is possible. fx_note: the cross rate that is in all of
    it, "USDT/USD 0.99960, Kraken, 0.4 s old"; "" where both legs have one currency.
    """

    mid_bp: float = math.nan
    open_bp: float = math.nan
    close_bp: float = math.nan
    mean_bp: float = math.nan
    sd_bp: float = math.nan
    z: float = math.nan
    fair_bp: float = math.nan
    fees_bp: float = math.nan
    round_trip_bp: float = math.nan
    fillable_open: float = 0.0
    fillable_close: float = 0.0
    age_spot_ms: float = math.nan
    age_perp_ms: float = math.nan
    skew_ms: float = math.nan
    stale: str = ""
    samples: int = 0
    warm: bool = False
    fx_note: str = ""


class PairMarket:
    """One pair of legs watched over time.

    spot, perp: the legs; "spot" may be a perpetual too, on another venue (long A, short B).
    qty: ticket size in base; 0 reads the touch.
    capacity: rows kept as they were sampled; older ones in steps.
    series: rows of COLUMNS over desk time. spot and perp are mids, each in its own quote currency,
    funding_pct the indicative rate in percent per interval. now: the newest reading.
    fx: tells the rate of a currency at a time. fx_ratio: spot's currency per unit of the perp's,
    at the newest reading; 1 where they are one, NaN while a rate is missing or too old.
    combo: the venue's own book of both legs; combo_gap: how it compares with our lines.
    seed_note: "" or how the backfill was converted.
    outages: (from s, until s or None while it lasts, label), oldest first.
    """

    def __init__(
        self,
        spot: "Leg",
        perp: "Leg",
        settings: Settings,
        capacity: int = FINE_ROWS,
        fx: "Callable[[str, int], Fx] | None" = None,
    ) -> None:
        self.spot = spot
        self.perp = perp
        self.qty = 0.0
        self.fx_ratio = 1.0 if _quote_of(spot) == _quote_of(perp) else math.nan
        self.combo = NO_COMBO
        self.combo_gap = ComboGap()
        self.combo_stream = ""
        self.seed_note = ""
        self.series = DaySeries(COLUMNS, capacity)
        self.stats = EwStats(BAND_TAU_S)
        self.outages: deque[tuple[float, float | None, str]] = deque(maxlen=OUTAGES_MAX)
        self.samples = 0
        self._settings = settings
        self._fx = fx or self._no_rates
        self._fx_stale = self._note = ""
        self._combo: tuple[float, float, int] | None = None  # bid, ask, our stamp
        self._names = (LegName(spot.key, perp.key), LegName(perp.key, spot.key))
        self._heard: set[str] = set()
        self._open: dict[str, str] = {}  # leg key -> label of its running outage
        self._slot = -1
        self._seeded = 0  # rows of the series that came from candles
        self._seed_from_s = math.inf
        self._late: tuple[Candles, Candles, int] | None = None  # seeded before all was known
        self._live_s = math.inf  # time of the first live row
        self._hole_min_s = max(HOLE_S_MIN, settings.risk.quote_age_ms_max / 1e3)
        self._hole_s = self._hole_min_s
        self._silent_ms = max(SILENT_MS_MIN, 2 * settings.risk.quote_age_ms_max)
        self.now = BasisNow(stale=self._stale(BasisNow()))

    @property
    def live_from_s(self) -> float:
        """Time of the first row that was heard live, s; inf before it. Earlier rows are candles."""
        return self._live_s

    # --- time passes -----------------------------------------------------------------------------

    def beat(self, now_ns: int) -> bool:
        """Read both legs, at most once in each tenth of a second. True when a row was pushed.

        No row comes from a leg that is silent or older than the limit: the curve waits, and is
        broken if the silence lasts. A pair whose legs are only skewed is drawn, but tells the
        statistics nothing.
        """
        slot = now_ns // SAMPLE_NS
        if slot == self._slot:
            return False
        self._slot = slot
        t_s = now_ns / 1e9
        reading = self._read(now_ns)
        if self._late and self._seeds_better():
            candles, self._late = self._late, None
            self._seed_from_s = math.inf
            self.seed(*candles)
            reading = self._read(now_ns)
        for leg, age_ms in ((self.spot, reading.age_spot_ms), (self.perp, reading.age_perp_ms)):
            self._watch(leg, age_ms, t_s)
        self.now = reading = msgspec.structs.replace(reading, stale=self._stale(reading))
        oldest_ms = self._settings.risk.quote_age_ms_max
        fresh = reading.age_spot_ms <= oldest_ms and reading.age_perp_ms <= oldest_ms
        if not fresh or math.isnan(reading.mid_bp) or self.ratio_fault():
            return False
        self._push(t_s, reading)
        return True

    def down(self, key: str, now_ns: int) -> None:
        """The feed of this leg is gone and its quotes are cleared: open the outage now."""
        if key in self._heard:
            self._open_outage(key, now_ns / 1e9, "feed down")
        reading = self._read(now_ns)
        self.now = msgspec.structs.replace(reading, stale=self._stale(reading))

    def hear_combo(self, quote: "ComboQuote", t_ns: int) -> None:
        """The venue's own book of both legs moved."""
        self._combo = (quote.bid, quote.ask, t_ns)
        self.combo_stream = quote.stream

    def lose_combo(self) -> None:
        """The stream of the venue's own book is gone."""
        self._combo = None
        self.combo = NO_COMBO

    # --- what it would cost ----------------------------------------------------------------------

    def exec_bp(self, direction: int, qty: float) -> tuple[float, float]:
        """(entry, exit) basis in bp executable now for `qty` base; NaN where the books are short.

        direction: +1 long spot and short perp, -1 the reverse. quant.md 2.2.
        """
        (open_bp, _), (close_bp, _) = self._open_line(qty), self._close_line(qty)
        return (open_bp, close_bp) if direction > 0 else (close_bp, open_bp)

    def fees_bp(self) -> float:
        """Four taker fees of a round trip, bp of the spot notional."""
        ratio = self.fx_ratio * self.perp.mid / self.spot.mid
        perp_share = ratio if math.isfinite(ratio) else 1.0
        return 2e4 * (self._taker(self.spot.key) + perp_share * self._taker(self.perp.key))

    def fair_bp(self, near_bp: float = math.nan) -> float:
        """Clamp-aware fair basis of this pair, bp; near_bp as in `fair_basis_bp`.

        Between two perpetuals it is the difference of their fair values.
        """
        fair = self._fair_of(self.perp, near_bp)
        if split_key(self.spot.key)[1] == "perp":
            fair -= self._fair_of(self.spot, math.nan)
        return fair

    def ratio_fault(self) -> str:
        """Why these legs are no pair (one price is far from the other), or "".

        A perpetual may count a thousand coins where spot counts one, and a name may be two coins.
        """
        ratio = self.fx_ratio * self.perp.mid / self.spot.mid
        if RATIO_MIN <= ratio <= RATIO_MAX or math.isnan(ratio):
            return ""
        return other_unit(*self._names, self.spot.mid, self.perp.mid, ratio)

    # --- backfill --------------------------------------------------------------------------------

    def seed(self, spot: "Candles", perp: "Candles", now_ns: int = 0) -> int:
        """Lay minutes where both legs have a close in front of the live rows; gives the row count.

        A close-to-close proxy: candles know no bid and ask, so open and close basis stay NaN, and
        funding is the rate last published at that minute. Legs in two currencies are converted at
        the present cross rate, and wait for it. A later seed replaces an earlier one where it
        knows more; once live rows stand, candles after them are left out.
        now_ns: desk time, to leave out the running minute; 0 leaves out the newest candle.
        """
        if now_ns:
            self._convert(now_ns)
        if math.isnan(self.fx_ratio):
            self._late = (spot, perp, now_ns)
            return 0
        stats = EwStats(BAND_TAU_S)
        known = minutes(spot, perp, now_ns, self.fx_ratio)
        rows = seed_rows(known, self._live_s, stats, self.perp.funding, self.fair_bp)
        live = math.isfinite(self._live_s)
        more = len(rows) > self._seeded or (rows and rows[0][0] < self._seed_from_s)
        if not rows or (live and not more):  # a rebuild of a full ring is not for nothing
            return 0
        self._late = None if self.perp.funding.settled else (spot, perp, now_ns)
        self._seed_from_s = rows[0][0]
        if self._note:
            self.seed_note = f"Backfill converted at one rate: {self._note}."
        self.samples += len(rows) - self._seeded
        self.series.replace_front(self._seeded, rows)
        self._seeded = len(rows)
        if not live:
            self._hole_s = HOLE_S
        self._retell(stats)  # each page of candles may be nearer to now than what was known
        return len(rows)

    def _seeds_better(self) -> bool:
        rate_came = not self._seeded and not math.isnan(self.fx_ratio)
        return rate_came or bool(self.perp.funding.settled)

    def _retell(self, stats: EwStats) -> None:
        # statistics of the candles, then of the live rows that came before the candles did
        live_s, columns = self.series.window(self._live_s, math.inf)
        newest = slice(-REWARM_ROWS_MAX, None)
        rows = zip(live_s[newest].tolist(), columns["mid_bp"][newest].tolist(), strict=True)
        for t_s, mid_bp in rows:
            stats.update(t_s, mid_bp)
        self.stats = stats

    # --- inside: one reading ---------------------------------------------------------------------

    def _read(self, now_ns: int) -> BasisNow:
        self._convert(now_ns)
        spot_mid, perp_mid = self.spot.mid, self.fx_ratio * self.perp.mid
        mid_bp = 1e4 * (perp_mid - spot_mid) / spot_mid if spot_mid > 0.0 else math.nan
        open_bp, fillable_open = self._open_line(self.qty)
        close_bp, fillable_close = self._close_line(self.qty)
        age_spot, age_perp = float(self.spot.age_ms(now_ns)), float(self.perp.age_ms(now_ns))
        fees_bp = self.fees_bp()
        both = math.isfinite(age_spot) and math.isfinite(age_perp)
        if self._combo is not None:
            bid, ask, t_ns = self._combo
            self.combo = combo_now(bid, ask, max(0.0, (now_ns - t_ns) / 1e6), spot_mid)
        return BasisNow(
            mid_bp=mid_bp,
            open_bp=open_bp,
            close_bp=close_bp,
            mean_bp=self.stats.mean,
            sd_bp=self.stats.sd,
            z=self.stats.z(mid_bp, self._sd_floor_bp(spot_mid)),
            fair_bp=self.fair_bp(mid_bp),
            fees_bp=fees_bp,
            round_trip_bp=fees_bp + close_bp - open_bp,
            fillable_open=fillable_open,
            fillable_close=fillable_close,
            age_spot_ms=age_spot,
            age_perp_ms=age_perp,
            skew_ms=abs(age_spot - age_perp) if both else math.nan,
            samples=self.samples,
            warm=self.stats.warm,
            fx_note=self._note,
        )

    def _convert(self, now_ns: int) -> None:
        """Read the cross rate: fx_ratio, its note, and why there is none."""
        currencies = _quote_of(self.spot), _quote_of(self.perp)
        if currencies[0] == currencies[1]:
            self.fx_ratio, self._note, self._fx_stale = 1.0, "", ""
            return
        of_spot, of_perp = (self._fx(currency, now_ns) for currency in currencies)
        self._fx_stale = of_spot.stale or of_perp.stale
        self._note = "; ".join(fx.note for fx in (of_spot, of_perp) if fx.note)
        self.fx_ratio = math.nan if self._fx_stale else of_perp.mid / of_spot.mid

    def _no_rates(self, currency: str, now_ns: int) -> Fx:
        account = self._settings.account.currency
        return cross_rate({}, currency, account, now_ns, self._settings.risk.quote_age_ms_max)

    def _open_line(self, qty: float) -> tuple[float, float]:
        ask, bought = _price(self.spot, "buy", qty)
        bid, sold = _price(self.perp, "sell", qty)
        return 1e4 * (bid * self.fx_ratio - ask) / ask, min(bought, sold)

    def _close_line(self, qty: float) -> tuple[float, float]:
        bid, sold = _price(self.spot, "sell", qty)
        ask, bought = _price(self.perp, "buy", qty)
        return 1e4 * (ask * self.fx_ratio - bid) / bid, min(bought, sold)

    def _taker(self, key: str) -> float:
        venue, market, _ = split_key(key)
        fees = self._settings.fees_of(venue)
        return fees.spot_taker if market == "spot" else fees.perp_taker

    def _fair_of(self, perp: "Leg", near_bp: float) -> float:
        interval_h = perp.funding.interval_h
        if not interval_h > 0.0 and perp.instrument is not None:
            interval_h = float(perp.instrument.funding_interval_h)
        rule = perp.instrument.funding if perp.instrument is not None else _USUAL
        return fair_of_rule_bp(rule, self._settings.risk.money_rate_year, interval_h, near_bp)

    def _sd_floor_bp(self, spot_mid: float) -> float:
        ticks = [leg.instrument.tick for leg in (self.spot, self.perp) if leg.instrument]
        half_bp = 1e4 * float(sum(ticks)) / 2 / spot_mid if spot_mid > 0.0 else 0.0
        return max(SD_FLOOR_BP, half_bp)

    def _stale(self, now: BasisNow) -> str:
        risk = self._settings.risk
        ages = (now.age_spot_ms, now.age_perp_ms)
        for leg, age_ms, name in zip((self.spot, self.perp), ages, self._names, strict=True):
            if leg.doubt is not None:
                return doubtful(name, leg.doubt)
            if math.isnan(leg.mid) or not math.isfinite(age_ms):
                return missing(name, leg.key in self._heard)
        newer, older = self._names if ages[1] > ages[0] else self._names[::-1]
        if max(ages) > risk.quote_age_ms_max:
            return too_old(older, max(ages), risk.quote_age_ms_max)
        if self._fx_stale or (fault := self.ratio_fault()):
            return self._fx_stale or fault
        if now.skew_ms > risk.leg_skew_ms_max:
            return too_far_apart(older, newer, now.skew_ms, risk.leg_skew_ms_max)
        return ""

    # --- inside: rows and outages ----------------------------------------------------------------

    def _push(self, t_s: float, now: BasisNow) -> None:
        last_s = self.series.t_last
        if t_s - last_s > self._hole_s and not self.series.ends_in_gap:
            self.series.push_gap(last_s + SAMPLE_NS / 1e9)
            self.outages.append((last_s, t_s, "no samples"))
        if math.isfinite(self._live_s):
            self._hole_s = max(self._hole_min_s, 10 * (t_s - last_s))
        else:
            self._live_s = t_s
            self._hole_s = math.inf  # the rhythm of this desk is not known yet
        funding_pct = 100 * self.perp.funding.rate
        self.series.push(
            t_s,
            (
                self.spot.mid, self.perp.mid, now.mid_bp, now.open_bp, now.close_bp,
                now.mean_bp, now.sd_bp, now.fair_bp, funding_pct,
                self.combo.bid_bp, self.combo.ask_bp,
            ),
        )  # fmt: skip
        self.samples += 1
        if not now.stale:
            self.stats.update(t_s, now.mid_bp)
            if self._combo is not None:
                self.combo_gap.take(now.open_bp, now.close_bp, self.combo)

    def _watch(self, leg: "Leg", age_ms: float, t_s: float) -> None:
        if age_ms <= self._silent_ms and not math.isnan(leg.mid):
            self._heard.add(leg.key)
            if label := self._open.pop(leg.key, ""):
                self._close_outage(label, t_s)
        elif leg.key in self._heard:
            last_s = self.series.t_last
            since_s = t_s if math.isnan(last_s) else min(t_s, last_s + SAMPLE_NS / 1e9)
            what = "feed down" if math.isnan(leg.mid) else "feed silent"
            what = "not watched" if leg.dropped else what
            what = what if leg.doubt is None else "price in doubt"
            self._open_outage(leg.key, since_s, what)

    def _open_outage(self, key: str, since_s: float, what: str) -> None:
        if key in self._open:
            return
        name = self._names[0 if key == self.spot.key else 1]
        self._open[key] = f"{name.name} {what}"
        self.outages.append((since_s, None, self._open[key]))
        if len(self.series) and not self.series.ends_in_gap:
            self.series.push_gap(since_s)

    def _close_outage(self, label: str, t_s: float) -> None:
        for i in range(len(self.outages) - 1, -1, -1):
            since_s, until_s, name = self.outages[i]
            if until_s is None and name == label:
                self.outages[i] = (since_s, t_s, label)
                return


def _quote_of(leg: "Leg") -> str:
    # what the leg is priced in, "" where neither the venue nor its name says it
    if leg.instrument is not None:
        return leg.instrument.quote
    try:
        return split_symbol(leg.key)[1]
    except ValueError:
        return ""


def _price(leg: "Leg", side: str, qty: float) -> tuple[float, float]:
    # average price for all of qty, NaN when the shown book is short of it, and what it would fill
    if not qty > 0.0:
        return (leg.ask, leg.ask_size) if side == "buy" else (leg.bid, leg.bid_size)
    if not leg.book.valid:
        return math.nan, 0.0
    price, filled = leg.book.vwap(side, qty)
    return (price if filled >= qty * (1 - 1e-12) else math.nan), filled
