"""One frozen settings struct from one TOML file; says which key is wrong and why.

The file is `settings.toml` in the profile folder, or the one named with --config. A key it does
not name keeps its default. Unknown keys are refused.
"""

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from basisdesk.errors import SettingsError

Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=0.05)]
Part = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
FEATURES_MAX = 8  # numbers from outside that enter the model


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The paper account. `start` is deposited once, when a journal is created."""

    start: Annotated[float, msgspec.Meta(ge=100, le=1e9)] = 10_000.0
    currency: Literal["USDT"] = "USDT"


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the paper venue behaves. jitter_ms is added to latency_ms, uniformly, by a fixed law.

    venue_latency_ms: latency of the venues named here, instead of latency_ms.
    price_band_pct: a market order that would trade so far beyond the mark is refused by the venue.
    """

    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 80
    jitter_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0
    liquidity_memory: bool = True
    venue_latency_ms: dict[str, Annotated[int, msgspec.Meta(ge=0, le=60_000)]] = msgspec.field(
        default_factory=dict
    )
    price_band_pct: Annotated[float, msgspec.Meta(gt=0, le=100)] = 5.0


class Fees(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fees of one venue, fractions of the notional; `spot_buy_fee_in`: coin of a spot buy's fee."""

    spot_taker: Fraction = 0.001
    spot_maker: Fraction = 0.001
    perp_taker: Fraction = 0.00055
    perp_maker: Fraction = 0.0002
    spot_buy_fee_in: Literal["base", "quote"] = "base"
    source: str = "Bybit VIP 0, help centre fee page, read 2026-07"


class Borrow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Interest on a borrowed coin, a fraction per hour; `source` says where it came from."""

    hourly_rate: Annotated[float, msgspec.Meta(ge=0, le=0.01)] = 0.000_001_502_122
    source: str = "Bybit spot margin data page, sample hourly rate, read 2026-07"


OWN = "your settings"  # the source of rates that a user set without naming another

# Base tier of each venue, as its own pages and data had it in 2026-07.
FEES: dict[str, Fees] = {
    "bybit": Fees(),
    "binance": Fees(
        0.001, 0.001, 0.0005, 0.0002, "base",
        "Binance regular user, spot and USD-M fee pages, without BNB discount, read 2026-07",
    ),
    "okx": Fees(
        0.001, 0.0008, 0.0005, 0.0002, "base",
        "OKX Lv1, okx.com/fees, read 2026-07",
    ),
    "kraken": Fees(
        0.004, 0.0025, 0.0005, 0.0002, "quote",
        "Kraken base tier, AssetPairs data and futures fee page, read 2026-07",
    ),
}  # fmt: skip

BORROW: dict[str, Borrow] = {
    "bybit": Borrow(),
    "binance": Borrow(
        0.000_008_33,
        "assumed: Binance tells its rates with a key only; OKX's public sample is taken",
    ),
    "okx": Borrow(
        0.000_008_33,
        "OKX interest-rate-loan-quota, sample 0.00019992 a day over 24 h, read 2026-07",
    ),
    "kraken": Borrow(
        0.000_05,
        "approximate: Kraken charges up to 0.02 % each 4 h, here spread over the hours; its "
        "opening fee of up to 0.02 % is left out (read 2026-02)",
    ),
}

# Channels that `feeds.VENUE` can send elsewhere; `rest` stands for all HTTP hosts of a venue.
CHANNELS: dict[str, tuple[str, ...]] = {
    "bybit": ("spot", "linear", "spread", "rest"),
    "binance": ("spot", "public", "market", "rest"),
    "okx": ("public", "rest"),
    "kraken": ("spot", "futures", "rest"),
}


class Risk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the desk. leverage_max cannot be raised above 5.

    reserve: fraction of equity that entries leave idle. impact_of_edge_max: slippage a suggested
    size may cost, as a fraction of the edge. size_cuts: [fraction of the starting cash, factor]:
    below it suggested sizes are multiplied by the factor. hedge_alarm_bp: hedge drift that is told.
    unhedged_s_max: how long a leg may stand alone before it is unwound and entries stop.
    The rest are triggers, on the whole book: drawdown_max from the peak, daily_loss_max since
    00:00 UTC (fractions of equity; they halt); rolling_pairs closed pairs losing rolling_loss_max
    together (halts); win_rate_min over at least win_rate_pairs pairs, liq_distance_min_pct from
    mark to liquidation, stale_s_max without a quote of a held leg, clock_jump_s_max of a jump of
    the clock or a pause of the machine (these stop entries only).
    """

    leverage_max: Annotated[float, msgspec.Meta(ge=1, le=5)] = 5.0
    account_risk: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.02
    quote_age_ms_max: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 2_000
    leg_skew_ms_max: Annotated[int, msgspec.Meta(ge=50, le=60_000)] = 500
    loop_gap_ms_max: Annotated[int, msgspec.Meta(ge=50, le=60_000)] = 250
    money_rate_year: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05
    pairs_max: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    reserve: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0.05
    impact_of_edge_max: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.25
    size_cuts: tuple[tuple[Part, Part], ...] = ((0.8, 0.5), (0.6, 0.25))
    hedge_alarm_bp: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 50.0
    unhedged_s_max: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 30
    drawdown_max: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.10
    daily_loss_max: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.03
    rolling_pairs: Annotated[int, msgspec.Meta(ge=2, le=200)] = 5
    rolling_loss_max: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.02
    win_rate_min: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.55
    win_rate_pairs: Annotated[int, msgspec.Meta(ge=5, le=200)] = 20
    liq_distance_min_pct: Annotated[float, msgspec.Meta(ge=0, le=100)] = 5.0
    stale_s_max: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 60
    clock_jump_s_max: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 10


class TapeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The session recorder. `disk_mb_max` bounds all tapes of the profile together.

    scan: record the scanner's polled pages too. No trade depends on them, and they are large.
    folder: where tapes go, an absolute path; "" keeps them in the profile.
    """

    record: bool = True
    scan: bool = False
    folder: Annotated[str, msgspec.Meta(max_length=1_000, pattern="^$|^[~/]|^[A-Za-z]:")] = ""
    disk_mb_max: Annotated[int, msgspec.Meta(ge=10, le=1_000_000)] = 2_000


COINS = (
    "BTC ETH SOL XRP BNB DOGE ADA TRX AVAX LINK SUI TON SHIB XLM DOT HBAR LTC BCH UNI PEPE AAVE "
    "NEAR APT TAO ENA ONDO POL WLD ARB ATOM FIL RENDER FET OP IMX INJ JUP SEI TIA BONK WIF FLOKI "
    "STRK LDO CRV PENDLE SAND MANA AXS GALA PYTH VIRTUAL STORJ AR API3 SC BAND OM POLYX SYRUP"
)  # fmt: skip


COINS_MAX = 150  # beyond it a second is too short for all their combinations


class Scanner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the scanner looks at. Rates are fractions of the notional.

    size: of each opening, account currency; by default one that a fresh paper account can open
    with its reserve left. capacity_bp: price impact of both legs together that
    the capacity allows. hold_h: the hold that net edges are counted over. short_spot: also short
    the spot leg, on borrowed coins. poll_s: pause between two readings of a venue's pages.
    read_on, trade_on: where the signal is read and where it is traded; a disagreement is told.
    gap_trigger: funding gap of any two venues; btc_eth_trigger: of BTC against ETH, both an 8 h.
    normal_band, wide: context of a gap. funding_days, minute_days: kept on disk.
    """

    on: bool = True
    coins: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{1,20}$")], ...],
        msgspec.Meta(min_length=1, max_length=COINS_MAX),
    ] = tuple(COINS.split())
    venues: tuple[Literal["binance", "bybit", "kraken", "okx"], ...] = (
        "binance", "bybit", "okx", "kraken",
    )  # fmt: skip
    size: Annotated[float, msgspec.Meta(ge=10, le=1e8)] = 5_000.0
    capacity_bp: Annotated[float, msgspec.Meta(gt=0, le=500)] = 10.0
    hold_h: Annotated[float, msgspec.Meta(ge=1, le=720)] = 24.0
    short_spot: bool = True
    poll_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 5.0
    read_on: Literal["binance", "bybit", "kraken", "okx"] = "binance"
    trade_on: Literal["binance", "bybit", "kraken", "okx"] = "bybit"
    gap_trigger: Fraction = 0.0006
    btc_eth_trigger: Fraction = 0.0005
    normal_band: tuple[Fraction, Fraction] = (0.0003, 0.0008)
    wide: Fraction = 0.0015
    funding_days: Annotated[int, msgspec.Meta(ge=7, le=400)] = 90
    minute_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 14
    disk_mb_max: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 500


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How alerts reach a person. webhook: an https address, "" for none; see the alert dialog.

    webhook_hosts: hosts that a webhook may go to; empty allows the host of `webhook` alone.
    """

    notify: bool = True
    sound: bool = True
    webhook: str = ""
    webhook_hosts: tuple[str, ...] = ()


class IndicatorSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number from outside: a CSV file of time and value, or an https address that gives JSON.

    file or url: one of them. path: JSON pointer to the number, "/data/0/value"; time_path: to its
    time, without one it is as old as the answer. every_s: between two looks, of an address 10 at
    least. fresh_s: older than this it is late; two times every_s without one. feature: it enters
    the model, for the pairs of `coin` or, without one, for all. signed: it speaks for the perp, so
    its mirror counts for the reverse side; else it is alike for both.
    """

    file: Annotated[str, msgspec.Meta(max_length=4_096)] = ""
    unit: Annotated[str, msgspec.Meta(max_length=24)] = ""
    every_s: Annotated[float, msgspec.Meta(ge=1, le=2_678_400)] = 3_600.0
    url: Annotated[
        str, msgspec.Meta(max_length=500, pattern=r"^$|^https://|^http://127\.0\.0\.1[:/]")
    ] = ""
    path: Annotated[str, msgspec.Meta(max_length=200, pattern="^$|^/")] = ""
    time_path: Annotated[str, msgspec.Meta(max_length=200, pattern="^$|^/")] = ""
    fresh_s: Annotated[float, msgspec.Meta(ge=1, le=31_622_400)] | None = None
    feature: bool = False
    coin: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{0,24}$")] = ""
    signed: bool = True

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.url):
            raise ValueError("Name a file or a url, one of the two")


class Forecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The forecast. margin: by how much the probability has to be above the break-even one.

    horizon_h, gain_bp, stop_bp: what counts as success: this net profit before the basis widens by
    so much and before so many hours. Another rule is another model, which learns from the start.
    challengers: river's models beside ours, in a process of their own; needs basisdesk[ai].
    indicators: numbers from outside, by name; eight of them may be features.
    """

    on: bool = True
    challengers: bool = False
    margin: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.02
    horizon_h: Annotated[float, msgspec.Meta(ge=0.25, le=72)] = 8.0
    gain_bp: Annotated[float, msgspec.Meta(ge=0.5, le=500)] = 10.0
    stop_bp: Annotated[float, msgspec.Meta(ge=1, le=2_000)] = 20.0
    indicators: Annotated[
        dict[Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,24}$")], IndicatorSource],
        msgspec.Meta(max_length=24),
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if sum(each.feature for each in self.indicators.values()) > FEATURES_MAX:
            raise ValueError(f"At most {FEATURES_MAX} indicators may be features")


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The way out. proxy: an http proxy that tunnels (CONNECT) to the venues, "" for none.

    It may hold a name and a password, "http://USER:PASSWORD@HOST:PORT": show it by `shown_proxy`.
    An @ in these is written %40. Addresses of this machine are never asked for through it.
    """

    proxy: Annotated[
        str, msgspec.Meta(max_length=300, pattern=r"^$|^http://([!-.0-~]+@)?[A-Za-z0-9.:\[\]-]+/?$")
    ] = ""

    def __post_init__(self) -> None:
        name, at, _ = self.proxy.removeprefix("http://").rpartition("@")
        named = not at or ("@" not in name and all(name.partition(":")[::2]))
        if self.proxy and not (named and _host_only(self.proxy)):
            raise ValueError("Give http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT, @ as %40")

    def __repr__(self) -> str:  # settings get into logs and tracebacks
        return f"Network(proxy={shown_proxy(self.proxy)!r})"


class Ui(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The window."""

    theme: Literal["dark", "light", "contrast"] = "dark"
    font_scale: Annotated[float, msgspec.Meta(ge=0.75, le=2.0)] = 1.0
    utc: bool = True
    reduced_motion: bool = False
    colour_blind: bool = False
    repaint_ms: Annotated[int, msgspec.Meta(ge=33, le=1000)] = 66


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demo exchange."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 7
    scenario: str = "mixed"
    speed: Annotated[float, msgspec.Meta(ge=0.1, le=600)] = 1.0
    symbol: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{2,30}$")] = "ADAUSDT"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a user can set. `feeds.VENUE.CHANNEL` overrides an address, see CHANNELS."""

    account: Account = Account()
    paper: Paper = Paper()
    fees: dict[str, Fees] = msgspec.field(default_factory=FEES.copy)
    borrow: dict[str, Borrow] = msgspec.field(default_factory=BORROW.copy)
    risk: Risk = Risk()
    feeds: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    tape: TapeSettings = TapeSettings()
    scanner: Scanner = Scanner()
    alerts: Alerts = Alerts()
    forecast: Forecast = Forecast()
    ui: Ui = Ui()
    demo: Demo = Demo()
    network: Network = Network()

    def fees_of(self, venue: str) -> Fees:
        """The fee schedule of a venue; the venue's base tier where none is set."""
        return self.fees.get(venue) or FEES.get(venue) or Fees()

    def borrow_rate(self, venue: str) -> Decimal:
        """Borrow interest of a venue, a fraction per hour."""
        return exact(self.borrow_of(venue).hourly_rate)

    def borrow_of(self, venue: str) -> Borrow:
        """Borrow interest of a venue with its source; a documented sample where none is set."""
        return self.borrow.get(venue) or BORROW.get(venue) or Borrow()


def exact(value: float) -> Decimal:
    """The decimal a settings number was written as: its shortest text, exactly."""
    return Decimal(repr(value))


def load_settings(path: Path | None) -> Settings:
    """Settings from a TOML file; defaults when `path` is None or the file does not exist.

    Raises SettingsError with one sentence naming the file, the key and what is allowed.
    """
    if path is None or not path.exists():
        return Settings()
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise SettingsError(f"Cannot read settings {path}: {exc.strerror}.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise SettingsError(f"Settings {path} are not valid TOML: {exc}. Mend that line.") from exc
    return settings_of(raw, path)


def settings_of(raw: dict[str, Any], path: Path) -> Settings:
    """Settings from the tables of a TOML file; `raw` is written over. path: for the sentence.

    Raises SettingsError as `load_settings` does.
    """
    _merge(raw, "fees", FEES)
    _merge(raw, "borrow", BORROW)
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as exc:
        said = str(exc)
        what, _, where = said.partition(" - at ")
        key = where.strip("`").removeprefix("$.") or "top level"
        raise SettingsError(f"Settings {path}, key {key}: {what}. Correct or remove it.") from exc
    for venue, channels in settings.feeds.items():
        known = CHANNELS.get(venue, ())
        if wrong := [channel for channel in channels if channel not in known]:
            key, have = f"feeds.{venue}.{wrong[0]}", ", ".join(known) or "no such venue"
            raise SettingsError(
                f"Settings {path}, key {key}: no such channel (known: {have}). Correct or remove "
                "it."
            )
    return settings


def _merge(raw: dict[str, Any], name: str, defaults: Mapping[str, Fees | Borrow]) -> None:
    """Put each venue's defaults under what the file says of it. Wrong types stay to be refused."""
    said = raw.get(name, {})
    if not isinstance(said, dict):
        return
    merged = {venue: msgspec.to_builtins(row) for venue, row in defaults.items()}
    for venue, row in said.items():
        if isinstance(row, dict):
            merged[venue] = {**merged.get(venue, {}), **({"source": OWN} if row else {}), **row}
        else:
            merged[venue] = row
    raw[name] = merged


def shown_proxy(proxy: str) -> str:
    """A proxy as it may be shown and logged: without its name and password."""
    return proxy if "@" not in proxy else f"http://***@{proxy.rpartition('@')[2]}"


def shareable(settings: Settings) -> Settings:
    """The settings as they may leave this machine, in a recording: addresses lose what is secret.

    Of the webhook, the proxy and the outside numbers' addresses the host stays.
    """
    known = settings.forecast.indicators.items()
    change = msgspec.structs.replace
    return change(
        settings,
        alerts=change(settings.alerts, webhook=_host_only(settings.alerts.webhook)),
        network=Network(_host_only(settings.network.proxy)),
        forecast=change(
            settings.forecast,
            indicators={name: change(each, url=_host_only(each.url)) for name, each in known},
        ),
    )


def _host_only(url: str) -> str:
    """An address without its path, name and password; "" where it cannot be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/" if parts.hostname else ""


def profile_dir(given: str | None, default: Path) -> Path:
    """The profile folder, made with mode 0700 where missing. Raises SettingsError when unusable."""
    folder = Path(given).expanduser() if given else default
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise SettingsError(
            f"Cannot use profile folder {folder}: {exc.strerror}. Name another with --profile DIR."
        ) from exc
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(
            f"No permission to write in profile folder {folder}. Name another with --profile DIR."
        )
    return folder
