"""One instrument of one venue over the common path: mids, mark, funding, candles. Pure.

Prices are in the instrument's own quote currency, for `Spec.price_unit` coins.
"""

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import NUMBER, Coin
from basisdesk.demo.days import CoinDays, spanned
from basisdesk.demo.funding import (
    MINUTE_MS,
    Intervals,
    average,
    averages,
    funding_rate,
    impact_premiums,
)
from basisdesk.demo.listings import coin_of, place_of
from basisdesk.demo.minutes import MICRO_MS, MICRO_STEPS, Minutes
from basisdesk.demo.places import (
    DAY_MIN,
    INTEREST_HALF_LIFE_MIN,
    INTEREST_SD,
    OPEN_INTEREST,
    PERP_HALF_LIFE_MIN,
    PERP_NOISE,
    SPOT_HALF_LIFE_MIN,
    SPOT_NOISE,
    deviation,
    impact_half_bp,
    noise_bp,
    noise_stream,
    offset_bp,
)
from basisdesk.demo.planted import NOTHING, Planted
from basisdesk.demo.wire import Candle, Day, Spec, View

Floats = NDArray[np.float64]
Settlement = tuple[int, float, float]  # stamp ms, rate, mark

MARK_WINDOW_S = 150  # Bybit's 2.5 minutes
SETTLEMENTS_MAX = 1_000
VOLUME_SD = 0.6
LAG_INDEX = 3  # steps by which the index, like Bybit's spot, follows the common path
KEPT_DAYS = 3  # of candles
KEPT_DEVIATIONS = 9  # days of three kinds
_CANDLES = 8  # stream of random numbers
_ALONG = np.arange(MICRO_STEPS) / MICRO_STEPS
_PER_S = 1000 // MICRO_MS


class World(NamedTuple):
    """What an instrument needs to know of its market."""

    seed: int
    days: CoinDays
    minutes: Minutes
    usd: Callable[[int], Floats]  # log USD for one USDT, by day


class _Now(NamedTuple):
    """The present minute: mids at 100 ms, index and mark at seconds."""

    minute: int
    mid: Floats
    index_s: list[float]
    mark_s: list[float]


class _DayRows(NamedTuple):
    """A whole day of minutes."""

    opened: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class Quoted:
    """The instrument at any time from the first day of its coin on."""

    def __init__(self, spec: Spec, world: World, planted: Planted = NOTHING) -> None:
        """planted: what a scenario makes of it; its interval is the spec's already."""
        self.spec = spec
        self.planted = planted
        self.coin: Coin = coin_of(spec)
        self.place = place_of(spec)
        self.perp = spec.market == "perp"
        self._world = world
        self._number = NUMBER[spec.base]
        self._offset_bp = offset_bp(self.place, self.coin, world.seed, self._number)
        self._noise_bp = noise_bp(self.place, self.coin)
        self._deviations: dict[tuple[int, int], Floats] = {}
        self._rows: dict[int, _DayRows] = {}
        self._now = _Now(-1, np.zeros(0), [], [])
        self._rate = (-1, 0.0)
        self._day = (-1, Day(0.0, 0.0, 1.0, 1.0, 0.0, 0.0))
        self.intervals = Intervals(max(1, spec.interval_h))
        self._settled: list[Settlement] = []
        self._due: list[tuple[int, int]] = []  # intervals that ended, not worked out yet
        self._newest = (-1, 0.0)  # end and rate of the last of them
        self._open_ms = self.intervals.end_ms(world.days.oldest_day * DAY_MIN * MINUTE_MS - 1)

    @property
    def days(self) -> CoinDays:
        """The path of the coin, which all venues share."""
        return self._world.days

    @property
    def owed_days(self) -> range:
        """Days before the coin's first whose settlements nobody asked for yet, newest first."""
        oldest_ms = self._due[0][0] if self._due else self._open_ms
        return range(self.days.first_day - 1, oldest_ms // MINUTE_MS // DAY_MIN - 1, -1)

    # The present

    def mid(self, now_ms: int) -> float:
        """The middle of the market."""
        return float(self._at(now_ms // MINUTE_MS).mid[now_ms % MINUTE_MS // MICRO_MS])

    def view(self, now_ms: int) -> View:
        """Index, mark and funding."""
        now = self._at(now_ms // MINUTE_MS)
        second = now_ms % MINUTE_MS // 1000
        index = now.index_s[second]
        if not self.perp:
            return View(now_ms, index, index, 0.0, 0.0, 0, 0, 0.0)
        away = float(self._deviation(OPEN_INTEREST, now_ms // MINUTE_MS, 1)[0])
        held = self.coin.open_interest_usd / self.coin.price * math.exp(INTEREST_SD * away)
        return View(
            now_ms,
            index,
            now.mark_s[second],
            self.rate(now_ms),
            self._settled_rate(now_ms),
            self.intervals.end_ms(now_ms),
            self.intervals.hours(now_ms),
            held * self.place.depth[1] * self.planted.busy,
        )

    def _at(self, minute: int) -> _Now:
        if self._now.minute != minute:
            self._now = self._made(minute)
        return self._now

    def _made(self, minute: int) -> _Now:
        world, lag = self._world, self.place.lag
        unit = self._quote(minute) * self.spec.price_unit
        index = np.exp(world.minutes.lagged(minute, LAG_INDEX)) * unit
        if not self.perp:
            mid = index
            if self._noise_bp[0] > 0.0 or lag[0] != LAG_INDEX:
                away = self._between(self._deviation(SPOT_NOISE, minute, 2)) * self._noise_bp[0]
                mid = np.exp(world.minutes.lagged(minute, lag[0]) + away * 1e-4) * unit
            return _Now(minute, mid, index[::_PER_S].tolist(), [])
        premium = world.minutes.at(minute).premium_bp + self._offset_bp
        if self._noise_bp[1] > 0.0:
            own = self._between(self._deviation(PERP_NOISE, minute, 2))
            premium = premium + own * self._noise_bp[1]
        premium = premium * self.planted.keep + self.planted.premium_bp
        mid = np.exp(world.minutes.lagged(minute, lag[1])) * (1.0 + premium * 1e-4) * unit
        mark = self._mark(minute, index[::_PER_S], mid[::_PER_S])
        return _Now(minute, mid, index[::_PER_S].tolist(), mark.tolist())

    def _mark(self, minute: int, index: Floats, last: Floats) -> Floats:
        """Median of (index with the funding still due, index with 2.5 minutes' basis, last).

        The mean basis leaves the seconds' noise out, so that it needs the minute points only.
        """
        points = self._premiums(minute - 3, 5) - self._noises(minute - 3, 5)
        seconds = np.interp(np.arange(1, 241) / 60.0, np.arange(5), points)
        sums = np.concatenate(([0.0], np.cumsum(seconds)))
        mean = ((sums[MARK_WINDOW_S:] - sums[:-MARK_WINDOW_S]) / MARK_WINDOW_S)[-60:] * 1e-4
        t_ms = minute * MINUTE_MS
        end_ms, length_ms = self.intervals.end_ms(t_ms), self.intervals.hours(t_ms) * 3_600_000
        share = np.minimum((end_ms - t_ms - 1000 * np.arange(60)) / length_ms, 1.0)
        due = self.rate(t_ms) * share
        return np.asarray(
            np.median(np.stack((index * (1.0 + due), index * (1.0 + mean), last)), axis=0)
        )

    # Funding

    def rate(self, now_ms: int) -> float:
        """The rate of the running interval if it ended now."""
        minute = now_ms // MINUTE_MS
        if self._rate[0] != minute:
            self._note_ends(now_ms)
            first = min(self._open_ms // MINUTE_MS, minute)
            self._rate = (minute, self._rate_of(first, minute + 1, now_ms))
        return self._rate[1]

    def settlements(self, now_ms: int) -> list[Settlement]:
        """(stamp, rate, mark) of what was settled, oldest first."""
        self._note_ends(now_ms)
        if self._due:
            first_ms = self._world.days.oldest_day * DAY_MIN * MINUTE_MS
            kept = [span for span in self._due if span[0] >= first_ms]
            for _, alike in groupby(kept, self._length):
                self._settled += self._settled_of(list(alike))
            self._due.clear()
            del self._settled[:-SETTLEMENTS_MAX]
        return self._settled

    def _settled_rate(self, now_ms: int) -> float:
        """The rate settled last. The others are left alone until somebody asks for them."""
        self._note_ends(now_ms)
        if not self._due:
            return self._settled[-1][1] if self._settled else 0.0
        end_ms = self._due[-1][1]
        if self._newest[0] != end_ms:
            self._newest = (end_ms, self._settled_of(self._due[-1:])[0][1])
        return self._newest[1]

    def _note_ends(self, now_ms: int) -> None:
        first_ms = self._world.days.oldest_day * DAY_MIN * MINUTE_MS
        if self._open_ms < first_ms:  # nobody asked for so long that the days are gone
            self._open_ms = self.intervals.end_ms(first_ms - 1)
            self._due.clear()
        for end_ms in self.intervals.ends_ms(self._open_ms, now_ms):
            self._due.append((self._open_ms, end_ms))
            self._open_ms = end_ms

    def _length(self, span: tuple[int, int]) -> tuple[int, int]:
        return span[1] - span[0], self.intervals.hours(span[1] - 1)

    def _settled_of(self, spans: Sequence[tuple[int, int]]) -> list[Settlement]:
        """Of intervals of one length that follow each other."""
        first, last = spans[0][0] // MINUTE_MS, spans[-1][1] // MINUTE_MS
        step = (last - first) // len(spans)
        premiums = self._premiums(first, last - first + 1)
        samples = impact_premiums(premiums[:-1], impact_half_bp(self.coin)).reshape(-1, step)
        means = averages(samples, self.place.scale).tolist()
        bases = premiums - self._noises(first, last - first + 1)
        days, hours = self._world.days, self._length(spans[0])[1]
        logs = spanned(first, last - first + 1, lambda day: days.day(day).log_price)
        out = []
        for at, (_, end_ms) in enumerate(spans):
            minute = (at + 1) * step
            spot = math.exp(float(logs[minute])) * self._quote_point(first + minute)
            mark = spot * (1.0 + float(bases[minute]) * 1e-4) * self.spec.price_unit
            out.append((end_ms, self._settling_at(means[at], hours), mark))
        return out

    def _rate_of(self, first: int, last: int, t_ms: int) -> float:
        samples = impact_premiums(self._premiums(first, last - first), impact_half_bp(self.coin))
        return self._settling_at(average(samples, self.place.scale), self.intervals.hours(t_ms))

    def _settling_at(self, premium: float, hours: int) -> float:
        cap, interest = self.spec.funding_cap, self.coin.interest
        return funding_rate(premium, cap, interest, hours, self.place.scale)

    # Minute points

    def _premiums(self, first: int, count: int) -> Floats:
        """The venue's premium at minute points, bp."""
        days = self._world.days
        premium = spanned(first, count, lambda day: days.day(day).premium_bp) + self._offset_bp
        if self._noise_bp[1] > 0.0:
            own = self._deviation(PERP_NOISE, first, count)
            premium = premium + self._noise_bp[1] * own
        return np.asarray(premium * self.planted.keep + self.planted.premium_bp)

    def _noises(self, first: int, count: int) -> Floats:
        days = self._world.days
        noises = spanned(first, count, lambda day: days.day(day).noise_bp)
        return noises * self.planted.keep

    def _deviation(self, stream: int, first: int, count: int) -> Floats:
        half_life = {
            SPOT_NOISE: SPOT_HALF_LIFE_MIN,
            PERP_NOISE: PERP_HALF_LIFE_MIN,
            OPEN_INTEREST: INTEREST_HALF_LIFE_MIN,
        }[stream]

        def day_of(day: int) -> Floats:
            found = self._deviations.get((stream, day))
            if found is None:
                if len(self._deviations) >= KEPT_DEVIATIONS:
                    del self._deviations[next(iter(self._deviations))]
                number = noise_stream(self.place, stream)
                found = deviation(self._world.seed, self._number, number, day, half_life)
                self._deviations[stream, day] = found
            return found

        return spanned(first, count, day_of)

    def _quote_point(self, minute: int) -> float:
        """Quote currency for one USDT at a minute point."""
        if self.spec.quote != "USD":
            return 1.0
        return math.exp(float(spanned(minute, 1, self._world.usd)[0]))

    def _quote(self, minute: int) -> Floats | float:
        """The same along a minute."""
        if self.spec.quote != "USD":
            return 1.0
        return np.exp(self._between(spanned(minute, 2, self._world.usd)))

    @staticmethod
    def _between(points: Floats) -> Floats:
        return np.asarray(points[0] + (points[1] - points[0]) * _ALONG)

    # History

    def candles(self, since_ms: int, until_ms: int, now_ms: int) -> list[Candle]:
        """Minutes that start in [since, until), oldest first, the running one as far as it is."""
        present = now_ms // MINUTE_MS
        first = max(-(-since_ms // MINUTE_MS), self._world.days.first_day * DAY_MIN)
        last = min(-(-until_ms // MINUTE_MS), present + 1)
        if first >= last:
            return []
        out = self._finished(first, min(last, present))
        if last == present + 1:
            out.append(self._running(now_ms))
        return out

    def day(self, now_ms: int) -> Day:
        """The last 24 hours, worked out once a minute."""
        minute = now_ms // MINUTE_MS
        if self._day[0] != minute:
            first = minute - DAY_MIN
            opened, high, low, close, volume = self._columns(first, DAY_MIN)
            self._day = (
                minute,
                Day(
                    float(high.max()),
                    float(low.min()),
                    float(opened[0]),
                    float(opened[-60]),
                    float(volume.sum()),
                    float((volume * close).sum()) / self.spec.price_unit,
                ),
            )
        return self._day[1]

    def _finished(self, first: int, last: int) -> list[Candle]:
        decimals, out = self.spec.tick_decimals, []
        tick = float(self.spec.tick)
        count = max(0, last - first)
        columns = self._columns(first, count) if count else []
        for at in range(count):
            opened, high, low, close = (
                round(round(float(columns[k][at]) / tick) * tick, decimals) for k in range(4)
            )
            t_ms = (first + at) * MINUTE_MS
            out.append(Candle(t_ms, opened, high, low, close, float(columns[4][at])))
        return out

    def _running(self, now_ms: int) -> Candle:
        minute = now_ms // MINUTE_MS
        micro = now_ms % MINUTE_MS // MICRO_MS + 1
        tick, decimals = float(self.spec.tick), self.spec.tick_decimals
        part = self._at(minute).mid[:micro]
        opened, high, low, close = (
            round(round(float(price) / tick) * tick, decimals)
            for price in (part[0], part.max(), part.min(), part[-1])
        )
        volume = float(self._rows_of(minute // DAY_MIN).volume[minute % DAY_MIN])
        return Candle(minute * MINUTE_MS, opened, high, low, close, volume * micro / MICRO_STEPS)

    def _columns(self, first: int, count: int) -> list[Floats]:
        """Open, high, low, close, volume of so many finished minutes."""

        def column(at: int) -> Floats:
            return spanned(first, count, lambda day: self._rows_of(day)[at])

        return [column(at) for at in range(5)]

    def _rows_of(self, day: int) -> _DayRows:
        found = self._rows.get(day)
        if found is None:
            if len(self._rows) >= KEPT_DAYS:
                del self._rows[min(self._rows)]
            found = self._rows[day] = self._drawn(day)
        return found

    def _drawn(self, day: int) -> _DayRows:
        """Highs and lows by the exact law of a Brownian bridge between the minute points."""
        path, first = self._world.days.day(day), day * DAY_MIN
        log = path.log_price
        if self.perp:
            log = log + np.log1p(self._premiums(first, DAY_MIN + 1) * 1e-4)
        elif self._noise_bp[0] > 0.0:
            away = self._deviation(SPOT_NOISE, first, DAY_MIN + 1) * self._noise_bp[0]
            log = log + away * 1e-4
        if self.spec.quote == "USD":
            log = log + self._world.usd(day)
        key = [self._world.seed, _CANDLES, self._number, noise_stream(self.place, 7), day]
        rng = np.random.default_rng([*key, int(self.perp)])
        chance = -2.0 * np.log(1.0 - rng.random((2, DAY_MIN)))
        start, end = log[:-1], log[1:]
        middle, gap = (start + end) / 2.0, (end - start) ** 2
        high = middle + np.sqrt(gap + path.variance * chance[0]) / 2.0
        low = middle - np.sqrt(gap + path.variance * chance[1]) / 2.0
        prices = np.exp(np.stack((start, high, low, end))) * self.spec.price_unit
        usual = self.coin.turnover_day[self.perp] * self.place.depth[self.perp]
        usual *= self.planted.busy
        usual /= DAY_MIN * self.coin.price
        size = VOLUME_SD * rng.standard_normal(DAY_MIN) - VOLUME_SD**2 / 2.0
        return _DayRows(prices[0], prices[1], prices[2], prices[3], usual * np.exp(size))
