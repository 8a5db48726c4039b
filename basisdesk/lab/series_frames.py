"""A series as frames of a real venue's dialect, so that the desk's own engine can walk it.

The dialect is Bybit V5: instruments and risk tiers as answers over HTTP, `orderbook.1` snapshots of
both legs, `tickers` of the perpetual with mark and funding. What a series does not say is laid down
here: depth is as large as it needs to be (`slippage_bp` stands for what depth costs), and no index
is told.

Stamps. All frames of a row carry the row's own time, the ticker first, so the engine never knows
more than that row, and both quotes are in before a rule is asked. Extremes of the mark within a bar
come shortly before its close. A settlement is told by a ticker
at its own stamp, with the rate that settled: in time to be paid, too late to be traded on. It is
paid on the last mark heard at or before it. This is how the desk learns of settlements live.

The engine takes a price that jumps by more than half for a broken feed until it is confirmed, which
single rows cannot do: such a series is refused here with a sentence. (The kernel trades it.)
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np

from basisdesk.config import OWN, Account, Borrow, Fees, Paper, Risk, Settings
from basisdesk.errors import UserError
from basisdesk.events import Frame
from basisdesk.lab.kernel_columns import HIGH_NS, LOW_NS
from basisdesk.lab.rule import LEVERAGE_MAX, Costs, Size
from basisdesk.lab.series import PairSeries
from basisdesk.lab.shown import Shown
from basisdesk.lab.stamp import utc_text
from basisdesk.market.guard import DOWN, UP
from basisdesk.venues.bybit import LINEAR, REST, SPOT
from basisdesk.venues.instrument import split_symbol

DEPTH_LOTS = 1e9  # lots displayed on either side of each leg, DEPTH_MAX coins at most
DEPTH_MAX = 9e12  # a codec reads no size of 1e13
MAX_QTY = "1000000000000"
NEVER_MS = 10**12  # a limit on age that no row reaches, ms
NEVER_S = 10**9
NO_LIMIT = 1e9  # of a loss: fraction of equity


class Legs(NamedTuple):
    """How the engine calls the legs of a series."""

    symbol: str
    spot: str
    perp: str


def legs_of(series: PairSeries) -> Legs:
    """The legs under the names of the dialect: the coin against USDT on Bybit."""
    try:
        base = split_symbol(series.perp)[0]
    except ValueError:
        base = "COIN"
    symbol = f"{base}USDT"
    return Legs(symbol, f"bybit:spot:{symbol}", f"bybit:perp:{symbol}")


def series_settings(costs: Costs, size: Size, leverage: float) -> Settings:
    """Settings of a backtest: fees of the tier, no latency, and no trigger that stops entries.

    The rule is measured, not the desk's risk limits. Fees are charged in quote currency; a row's
    quotes are of one moment, so their age is no limit. Values are beyond what a user may set.
    """
    return Settings(
        account=Account(start=size.capital),
        paper=Paper(latency_ms=0, jitter_ms=0, liquidity_memory=False, price_band_pct=100.0),
        fees={
            "bybit": Fees(
                spot_taker=costs.spot_taker,
                perp_taker=costs.perp_taker,
                spot_buy_fee_in="quote",
                source=OWN,
            )
        },
        borrow={"bybit": Borrow(costs.borrow_hourly, OWN)},
        risk=Risk(
            leverage_max=max(5.0, leverage),
            quote_age_ms_max=NEVER_MS,
            leg_skew_ms_max=NEVER_MS,
            loop_gap_ms_max=NEVER_MS,
            money_rate_year=costs.money_rate,
            reserve=0.0,
            unhedged_s_max=NEVER_S,
            drawdown_max=NO_LIMIT,
            daily_loss_max=NO_LIMIT,
            rolling_loss_max=NO_LIMIT,
            win_rate_min=0.0,
            liq_distance_min_pct=-NO_LIMIT,
            stale_s_max=NEVER_S,
            clock_jump_s_max=NEVER_S,
        ),
    )


def opening_frames(legs: Legs, view: Shown, costs: Costs, interval_h: float) -> list[Frame]:
    """What the venue says of both instruments, stamped as the first row."""
    t_ns = int(view.t_ns[0])
    spot = _rules(legs.symbol, view.spot_digits, view.lot, spot=True)
    perp = _rules(legs.symbol, view.perp_digits, view.lot, spot=False)
    perp["fundingInterval"] = round(interval_h * 60)
    initial = max(costs.mmr, 1.0 / LEVERAGE_MAX)
    tier = {
        "symbol": legs.symbol,
        "riskLimitValue": MAX_QTY,
        "maintenanceMargin": _text(costs.mmr or 1e-10, 10),
        "initialMargin": _text(initial, 10),
        "maxLeverage": _text(1.0 / initial, 2),
    }
    pages = (
        ("instruments-info?category=spot", "spot", spot),
        ("instruments-info?category=linear", "linear", perp),
        ("risk-limit?category=linear", "linear", tier),
    )
    return [
        Frame(REST, _answer(f"/v5/market/{path}&symbol={legs.symbol}", category, row), t_ns)
        for path, category, row in pages
    ]


def row_frames(legs: Legs, view: Shown, interval_h: float) -> Iterator[list[Frame]]:
    """The frames of each row, those of settlements since the row before in front of them.

    Raises UserError where a price jumps by more than the desk believes at once.
    """
    _check_jumps(view)
    writer = _Writer(legs, view, interval_h)
    stamps, rates = view.settle_ns.tolist(), view.settle_rate.tolist()
    columns = (
        view.t_ns, view.spot_bid, view.spot_ask, view.perp_bid, view.perp_ask, view.mark,
        view.tells_ticker, view.tells_perp, view.tells_spot, view.high, view.low,
    )  # fmt: skip
    done = 0
    for number, row in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        t_ns, spot_bid, spot_ask, perp_bid, perp_ask, mark, ticker, perp, spot, high, low = row
        frames = []
        end = bisect_right(stamps, t_ns, lo=done)
        rate: tuple[float, int] | None = None
        for at in range(done, end):
            if stamps[at] == t_ns:  # told with the row's own mark
                rate = (rates[at], stamps[at])
            else:
                frames.append(writer.ticker(stamps[at], None, (rates[at], stamps[at])))
        done = end
        for edge, ago_ns in ((high, HIGH_NS), (low, LOW_NS)):
            if edge == edge:  # not NaN
                frames.append(writer.ticker(t_ns - ago_ns, edge, None))
        if ticker:
            frames.append(writer.ticker(t_ns, mark, rate, whole=number == 0))
        if perp:
            frames.append(writer.quote(LINEAR, t_ns, perp_bid, perp_ask))
        if spot:
            frames.append(writer.quote(SPOT, t_ns, spot_bid, spot_ask))
        yield frames


class _Writer:
    """Writes messages as the venue does."""

    def __init__(self, legs: Legs, view: Shown, interval_h: float) -> None:
        self._symbol = legs.symbol
        self._digits = {SPOT: view.spot_digits, LINEAR: view.perp_digits}
        lot_digits = max(0, -_exponent(view.lot))
        lots = min(DEPTH_LOTS, DEPTH_MAX // view.lot)
        self._size = _text(view.lot * lots, lot_digits)
        self._interval = f"{interval_h:g}"
        self._update = 0

    def quote(self, conn: str, t_ns: int, bid: float, ask: float) -> Frame:
        """A snapshot of the top of a book."""
        self._update += 1
        symbol, size, number = self._symbol, self._size, self._update
        digits, ms = self._digits[conn], t_ns // 1_000_000
        payload = (
            f'{{"topic":"orderbook.1.{symbol}","type":"snapshot","ts":{ms},"data":{{"s":"{symbol}",'
            f'"b":[["{bid:.{digits}f}","{size}"]],"a":[["{ask:.{digits}f}","{size}"]],'
            f'"u":{number},"seq":{number}}},"cts":{ms}}}'
        )
        return Frame(conn, payload.encode(), t_ns)

    def ticker(
        self, t_ns: int, mark: float | None, rate: tuple[float, int] | None, whole: bool = False
    ) -> Frame:
        """Mark and funding of the perpetual. rate: what settles at which stamp, ns."""
        said = [f'"symbol":"{self._symbol}"']
        if mark is not None:
            said.append(f'"markPrice":"{mark!r}"')
        if rate is not None:
            stamp = rate[1] // 1_000_000
            said.append(f'"fundingRate":"{rate[0]!r}","nextFundingTime":"{stamp}"')
            said.append(f'"fundingIntervalHour":"{self._interval}"')
        kind = "snapshot" if whole else "delta"
        payload = (
            f'{{"topic":"tickers.{self._symbol}","type":"{kind}","ts":{t_ns // 1_000_000},'
            f'"data":{{{",".join(said)}}}}}'
        )
        return Frame(LINEAR, payload.encode(), t_ns)


def _check_jumps(view: Shown) -> None:
    for bid, ask in ((view.spot_bid, view.spot_ask), (view.perp_bid, view.perp_ask)):
        far = (bid[1:] < DOWN * bid[:-1]) | (ask[1:] > UP * ask[:-1])
        _no_jump(far, view)
    marks = np.column_stack((view.high, view.low, view.mark)).ravel()
    told = np.flatnonzero(~np.isnan(marks))
    marks = marks[told]
    far = np.zeros(len(view.t_ns), dtype=np.bool_)
    far[told[1:][(marks[1:] < DOWN * marks[:-1]) | (marks[1:] > UP * marks[:-1])] // 3] = True
    _no_jump(far[1:], view)


def _no_jump(far: np.ndarray[Any, np.dtype[np.bool_]], view: Shown) -> None:
    if not far.any():
        return
    row = 1 + int(np.argmax(far))
    raise UserError(
        f"Row {int(view.rows[row])} ({utc_text(int(view.t_ns[row]))}) jumps by more than half from "
        "the row before: the desk would take it for a broken feed. Cut the series there, or use "
        "the kernel."
    )


def _rules(symbol: str, digits: int, lot: float, *, spot: bool) -> dict[str, Any]:
    """An instrument as the venue describes it."""
    step = _text(lot, max(0, -_exponent(lot)))
    sizes = {"maxOrderQty": MAX_QTY, "minOrderQty": step}
    more: dict[str, Any] = {}
    if not spot:
        more = {
            "contractType": "LinearPerpetual",
            "leverageFilter": {"maxLeverage": _text(LEVERAGE_MAX, 2)},
        }
    return {
        "symbol": symbol,
        "status": "Trading",
        "baseCoin": symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "priceFilter": {"tickSize": _text(10.0**-digits, digits)},
        "lotSizeFilter": sizes | {"basePrecision" if spot else "qtyStep": step},
        **more,
    }


def _answer(path: str, category: str, row: dict[str, Any]) -> bytes:
    body = {"retCode": 0, "retMsg": "OK", "result": {"category": category, "list": [row]}}
    return msgspec.json.encode({"path": path, "data": msgspec.json.encode(body).decode()})


def _exponent(lot: float) -> int:
    """The last decimal that a lot needs: -3 of 0.001 and of 0.025, 0 of 1 and of 10."""
    text = f"{lot:.12f}".rstrip("0")
    return -len(text.partition(".")[2])


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"
