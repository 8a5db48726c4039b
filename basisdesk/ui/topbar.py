"""The bar over everything: what is traded, whether it is real and fresh, what it pays, and Halt.

The risk state, the orange badge of what stands unhedged and the red button are halt_box.py's.
"""

import math

import msgspec
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from basisdesk.events import Changed
from basisdesk.market.basis import BasisNow, PairMarket
from basisdesk.market.state import Leg
from basisdesk.ui.context import Context
from basisdesk.ui.figure import Figure, Room
from basisdesk.ui.figures import (
    age_text,
    countdown_text,
    number_text,
    places_of,
    sign_text,
    size_text,
)
from basisdesk.ui.glossary import term
from basisdesk.ui.halt_box import AlarmBadge, HaltBox
from basisdesk.ui.halt_rows import risk_words
from basisdesk.ui.leg_words import coin_of, leg_name, quote_of, short_names
from basisdesk.ui.lights import Light, Lights
from basisdesk.ui.pulse import Panel
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.topbar_fit import RISK, STEPS, rooms_at
from basisdesk.ui.unhedged_rows import alarm
from basisdesk.venues.instrument import split_key, venue_title

BAR_PX = 56
STRIP_PX = 4
GAP_PX = 14
BADGE_GAP_PX = 6
SPARE_PX = 24  # room that must be free before something that stepped back returns
LEGS_PX_MIN = 110
LAG_WARN_MS = 50.0
NARROW_PX = 1500  # under it the orange badge has fewer words, and the reason of a halt no room
MAIN = "main"  # the account that every profile has needs no badge
_BADGES = {
    "simulated": ("SIMULATED", "badge-warn", "warn", "Prices come from the demo exchange."),
    "replay": ("REPLAY", "badge-warn", "warn", "Prices come from a recording, not from now."),
    "live": ("LIVE", "badge-gain", "gain", "Prices come from the venue, now."),
}
_PAPER = "Orders are filled on paper over the displayed book. No order leaves this machine."
_LINK_LOOKS = {"up": "live", "asked": "acked", "overflow": "resync"}  # a link's state as a light


def reading_of(pair: PairMarket) -> BasisNow:
    """The pair's reading with the basis of these very quotes: what stands beside them agrees.

    The kept reading is up to a tenth of a second older than the legs. Mean and deviation move
    slowly and are taken from it.
    """
    now = pair.now
    spot, perp = pair.spot.mid, pair.perp.mid * pair.fx_ratio
    mid_bp = 1e4 * (perp - spot) / spot if spot > 0 else math.nan
    open_bp, close_bp = pair.exec_bp(1, pair.qty)
    z = now.z
    if (
        math.isfinite(now.mean_bp) and now.mid_bp != now.mean_bp
    ):  # the same deviation, with its floor, at another distance
        z *= (mid_bp - now.mean_bp) / (now.mid_bp - now.mean_bp)
    return msgspec.structs.replace(
        now,
        mid_bp=mid_bp,
        open_bp=open_bp,
        close_bp=close_bp,
        z=z,
        fair_bp=pair.fair_bp(mid_bp),
        round_trip_bp=pair.fees_bp() + close_bp - open_bp,
    )


class TopBar(Panel):
    """The top bar. Says that a person wants another pair, a halt, a resume, an end; does none.

    halt_box: risk state and button. alarm_badge: what stands unhedged, there only while it does.
    """

    cares_about = (
        Changed.QUOTES
        | Changed.BASIS
        | Changed.FUNDING
        | Changed.FEEDS
        | Changed.RISK
        | Changed.POSITIONS
    )

    halt_requested = Signal()
    resume_requested = Signal()
    flatten_requested = Signal()
    pick_requested = Signal()

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._step = 0
        self._build_name()
        self._build_figures()
        self._build_end()
        self._lay_out()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Pair, prices, basis, funding and feeds")

    # --- showing ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the pair on the screen, the feeds and the risk state, and show them."""
        pair = self._context.engine.shown()
        self._show_name(pair)
        if pair is None:
            for figure in self._figures.values():
                figure.show_figure("–")
        else:
            now_ns = self._now_ns()
            self._show_leg("spot", pair.spot, now_ns)
            self._show_leg("perp", pair.perp, now_ns)
            self._show_basis(pair, reading_of(pair))
            self._show_funding(pair, now_ns)
        self._show_feeds()
        self._show_risk()
        self._fit()

    def _now_ns(self) -> int:
        # in a replay time is what the tape says; else the clock goes on when nothing comes in
        engine_ns = self._context.engine.now_ns
        if self._context.mode == "replay":
            return engine_ns
        return max(engine_ns, self._context.clock.now_ns())

    def _show_name(self, pair: PairMarket | None) -> None:
        if pair is None:
            self._name.setText("No pair ▾")
            self._legs.setText("Ctrl+P chooses one")
            return
        self._name.setText(f"{coin_of(pair.spot.key)} ▾")
        # With a cross rate the figures beside it name the legs, so the rate has the room.
        legs = f"{_leg_words(pair.spot.key)} · {_leg_words(pair.perp.key)}"
        self._legs.setText(pair.now.fx_note or legs)
        set_tip(
            self._legs,
            f"{leg_name(pair.spot.key)}, {leg_name(pair.perp.key)}. {self._fx_tip(pair)}".strip(),
        )
        for figure, name in zip(
            ("spot", "perp"), short_names(pair.spot.key, pair.perp.key), strict=True
        ):
            quote = quote_of((pair.spot if figure == "spot" else pair.perp).key)
            unit = f", {quote}" if pair.now.fx_note else ""
            self._figures[figure].set_caption(f"{name[:1].upper()}{name[1:]}  bid / ask{unit}")

    def _fx_tip(self, pair: PairMarket) -> str:
        return f"{term('Cross rate')} Now {pair.now.fx_note}." if pair.now.fx_note else ""

    def _show_leg(self, name: str, leg: Leg, now_ns: int) -> None:
        places = places_of(leg.instrument.tick if leg.instrument else None, 4)
        age_ms = leg.age_ms(now_ns)
        stale = not age_ms <= self._context.engine.settings.risk.quote_age_ms_max
        text = f"{number_text(leg.bid, places)} / {number_text(leg.ask, places)}"
        figure = self._figures[name]
        known = math.isfinite(leg.mid)
        age = age_text(age_ms) if known else "no quote"
        caption = figure.caption.replace("  bid / ask", " mid")
        figure.show_figure(
            text if known else "– / –",
            age,
            stale=stale,
            aside_tone="warn" if stale else "muted",
            brief=(caption, number_text(leg.mid, places) if known else "–"),
        )

    def _show_basis(self, pair: PairMarket, now: BasisNow) -> None:
        stale = bool(now.stale)
        at = "at the touch"
        if pair.qty > 0:
            rule = pair.spot.instrument
            at = f"at {size_text(pair.qty)} {rule.base if rule is not None else ''}".rstrip()
        thin = math.isnan(now.open_bp) and math.isfinite(now.mid_bp)
        figures = self._figures
        figures["open"].show_figure(
            _bp(now.open_bp),
            "book too thin" if thin else at,
            stale=stale,
            aside_tone="warn" if thin else "muted",
        )
        figures["close"].show_figure(_bp(now.close_bp), stale=stale)
        z = f"z {sign_text(now.z, 1)}" if math.isfinite(now.z) else ""
        fair = number_text(now.fair_bp, 1)
        figures["fair"].show_figure(f"{fair} bp" if math.isfinite(now.fair_bp) else fair, z)
        cost = number_text(now.round_trip_bp, 1)
        known = math.isfinite(now.round_trip_bp)
        figures["trip"].show_figure(f"{cost} bp" if known else cost, stale=stale)

    def _show_funding(self, pair: PairMarket, now_ns: int) -> None:
        legs = [leg for leg in (pair.spot, pair.perp) if split_key(leg.key)[1] == "perp"]
        figure, clocks = self._figures["funding"], [leg.funding for leg in legs]
        rates = " / ".join(_rate_text(clock.rate) for clock in clocks)
        lefts = [countdown_text(clock.seconds_left(now_ns // 1_000_000)) for clock in clocks]
        hours = [f"{float(clock.interval_h):g} h" for clock in clocks if clock.interval_h]
        if len(legs) == 2:
            apart = len(set(hours)) == 2  # then the rates do not compare as they stand
            figure.set_caption(
                f"Funding per {' / '.join(hours)}" if apart else "Funding  long / short"
            )
            year = clocks[1].annualised_pct - clocks[0].annualised_pct
            parts = [f"per {' / '.join(hours)}"] if hours else []
            parts += [f"net {sign_text(year, 1)} %/y"] if math.isfinite(year) else []
            figure.show_figure(rates, " · ".join(parts), short=" · ".join(lefts))
            return
        figure.set_caption("Funding")
        year = clocks[0].annualised_pct
        parts = [f"per {hours[0]}"] if hours else []
        parts += [f"{sign_text(year, 1)} %/y"] if math.isfinite(year) else []
        short = " · ".join(part for part in (*hours, lefts[0]) if part)
        figure.show_figure(rates, " · ".join([*parts, lefts[0]]), short=short)

    def _show_feeds(self) -> None:
        now_ns = self._now_ns()
        market = self._context.engine.market
        spoken = {stream.conn for stream in market.streams.values()}
        lights = [
            Light(
                conn,
                _LINK_LOOKS.get(link.state, link.state),
                f"{conn}: {link.state}. {link.reason}",
            )
            for conn, link in market.links.items()
            if conn not in spoken and link.state != "idle"
        ]
        for stream in market.streams.values():
            heard = stream.heard_ns
            age = f", heard {age_text((now_ns - heard) / 1e6)} ago" if heard else ""
            why = f". {stream.last_error}" if stream.last_error else ""
            lights.append(Light(stream.id, stream.state, f"{stream.id}: {stream.state}{age}{why}"))
        self._lights.show_lights(lights)
        lag_ms = self._context.status.loop_lag_ms
        self._lag.setText(f"{number_text(lag_ms, 0)} ms")
        self._lag.set_colour(self._theme.qcolor("warn" if lag_ms > LAG_WARN_MS else "gain"))

    def _show_risk(self) -> None:
        engine = self._context.engine
        narrow = self.width() < self._theme.px(NARROW_PX)
        fault_ns = self._context.status.fault_ns
        words = risk_words(engine, self._context.settings.ui.utc, fault_ns)
        self.halt_box.show_risk(words, narrow=narrow)
        found = alarm(engine, self._now_ns()) if engine.open_pairs() else None
        self.alarm_badge.show_alarm(found, narrow=narrow)

    # --- fitting ---------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Show as much as the width allows; what matters least steps back first."""
        wanted = next((i for i in range(len(STEPS)) if self._width_at(i) <= self.width()), None)
        step = len(STEPS) if wanted is None else wanted
        if step < self._step and self._width_at(step) > self.width() - SPARE_PX:
            step = min(step + 1, self._step)
        self._step = step
        rooms = rooms_at(step)
        self.halt_box.show_words(rooms.pop(RISK) is not Room.GONE)
        for name, room in rooms.items():
            self._figures[name].set_room(room)

    def _width_at(self, step: int) -> int:
        gap = self._theme.px(GAP_PX)
        rooms = rooms_at(step)
        halt = self.halt_box.width_px(words=rooms.pop(RISK) is not Room.GONE)
        widths = [self._figures[name].width_in(room) for name, room in rooms.items()]
        badges = [b.sizeHint().width() for b in self._badges if not b.isHidden()]
        line = self._name.sizeHint().width() + sum(badges) + BADGE_GAP_PX * (len(self._badges) + 1)
        least = self._theme.px(LEGS_PX_MIN)
        fixed = [max(line, least), self._feeds.sizeHint().width(), halt]
        shown = [width for width in widths if width] + fixed
        return sum(shown) + gap * (len(shown) - 1) + 2 * self._theme.px(12)

    # --- building --------------------------------------------------------------------------------

    def _build_name(self) -> None:
        theme = self._theme
        self._name = QPushButton("No pair ▾")
        self._name.setProperty("role", "pair")
        self._name.setFont(theme.font(19, 600))
        self._name.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._name.setAccessibleName("Choose another pair")
        set_tip(self._name, "Choose another pair of legs, over all venues. Ctrl+P")
        self._name.clicked.connect(self.pick_requested)
        self._legs = PlainLabel(elide=True)
        self._legs.setFont(theme.font(11))
        self._legs.set_colour(theme.qcolor("muted"))
        self._legs.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        words, role, tone, tip = _BADGES[self._context.mode]
        account = self._context.status.account
        self._account_badge = self._badge(account, "badge-account", "text", term("Paper account"))
        self._account_badge.setVisible(account != MAIN)
        self.alarm_badge = AlarmBadge(theme)
        self._badges = (
            self._badge(words, role, tone, tip),
            self._badge("PAPER", "badge-spot", "spot", _PAPER),
            self._account_badge,
            self.alarm_badge,
        )

    def _badge(self, words: str, role: str, tone: str, tip: str) -> PlainLabel:
        badge = self._theme.label(words, tone, 11, 600)
        badge.setProperty("role", role)
        set_tip(badge, tip)
        return badge

    def _build_figures(self) -> None:
        theme = self._theme
        price = "Best bid and ask from the order book. " + term("Age")
        self._figures = {
            "spot": Figure("Spot  bid / ask", price, theme),
            "perp": Figure("Perp  bid / ask", price, theme),
            "open": Figure("Open basis", term("Open basis"), theme, "basis"),
            "close": Figure("Close basis", term("Close basis"), theme),
            "fair": Figure("Fair", f"{term('Fair basis')} {term('z')}", theme),
            "trip": Figure("Round trip", term("Round trip"), theme),
            "funding": Figure("Funding", term("Funding"), theme),
        }

    def _build_end(self) -> None:
        theme = self._theme
        self._lights = Lights(theme)
        self._lag = theme.label("", "gain", 11)
        set_tip(self._lag, "How late the event loop runs: under 33 ms nothing is felt.")
        self._feeds = QWidget()
        grid = QGridLayout(self._feeds)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(theme.px(4))
        grid.addWidget(theme.label("Feeds", "muted", 11), 0, 0)
        grid.addWidget(self._lag, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._lights, 1, 0, 1, 2)
        self._feeds.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.halt_box = HaltBox(theme)
        self.halt_box.halt_requested.connect(self.halt_requested)
        self.halt_box.resume_requested.connect(self.resume_requested)
        self.halt_box.flatten_requested.connect(self.flatten_requested)

    def _lay_out(self) -> None:
        px = self._theme.px
        name = QGridLayout()
        name.setHorizontalSpacing(BADGE_GAP_PX)
        name.setVerticalSpacing(0)
        name.addWidget(self._name, 0, 0)
        for i, badge in enumerate(self._badges):
            name.addWidget(badge, 0, i + 1, Qt.AlignmentFlag.AlignVCenter)
        name.setColumnStretch(len(self._badges) + 1, 1)
        name.addWidget(self._legs, 1, 0, 1, len(self._badges) + 2)
        row = QHBoxLayout(self)
        row.setSizeConstraint(
            QHBoxLayout.SizeConstraint.SetNoConstraint
        )  # it fits by stepping back
        strip = px(STRIP_PX) if self._hatched else 0
        row.setContentsMargins(px(12), 0, px(12), strip)
        row.setSpacing(px(GAP_PX))
        row.addLayout(name, 1)
        row.setAlignment(name, Qt.AlignmentFlag.AlignVCenter)
        for figure in self._figures.values():
            row.addWidget(figure, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(2)
        row.addWidget(self._feeds, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.halt_box, 0, Qt.AlignmentFlag.AlignVCenter)

    @property
    def _hatched(self) -> bool:
        return self._context.mode in ("simulated", "replay")

    # --- Qt --------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:  # noqa: D102
        strip = self._theme.px(STRIP_PX) if self._hatched else 0
        return QSize(1280, self._theme.px(BAR_PX) + strip)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return QSize(480, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        if not self._hatched:
            return
        high = self._theme.px(STRIP_PX)
        strip = QRectF(0, self.height() - high, self.width(), high)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setClipRect(strip)
        painter.fillRect(strip, self._theme.blend("warn", 0.12))
        painter.setPen(QPen(self._theme.qcolor("warn", 0.55), 2))
        for x in range(-high, self.width() + high, 3 * high):
            painter.drawLine(x, self.height() + 1, x + high + 2, self.height() - high - 1)
        painter.end()


def _bp(value: float) -> str:
    return f"{sign_text(value, 1)} bp" if math.isfinite(value) else "–"


def _rate_text(rate: float) -> str:
    return f"{sign_text(rate * 100.0, 4)} %" if math.isfinite(rate) else "–"


def _leg_words(key: str) -> str:
    venue, market, _ = split_key(key)
    return f"{venue_title(venue)} {market}"
