"""One light per stream of data: shape and colour say how it is, the tooltip says it in words."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from basisdesk.ui.theme import Theme, set_tip

LIGHT_PX = 10
BETWEEN_PX = 4
LIGHTS_MAX = 12  # more streams than this are shown by the worst of each connection
# state: colour, shape. A disc is well, a ring is on its way, a triangle is late, a cross is gone.
_LOOKS = {
    "live": ("gain", "disc"),
    "acked": ("muted", "ring"),
    "connecting": ("muted", "ring"),
    "stale": ("warn", "triangle"),
    "resync": ("warn", "ring"),
    "down": ("loss", "cross"),
}
_WORST_FIRST = ("down", "resync", "stale", "connecting", "acked", "live")


@dataclass(frozen=True)
class Light:
    """One light. name: the stream or connection; state: one of the states of a stream."""

    name: str
    state: str
    words: str


class Lights(QWidget):
    """The lights in a row."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lights: tuple[Light, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_lights(self, lights: list[Light]) -> None:
        """Show these. Repaints only when one of them changed."""
        lights = merged(lights) if len(lights) > LIGHTS_MAX else lights
        set_tip(self, "\n".join(light.words for light in lights) or "No streams yet.")
        shown = tuple(lights)
        if [(a.name, a.state) for a in shown] == [(b.name, b.state) for b in self._lights]:
            return
        resized = len(shown) != len(self._lights)
        self._lights = shown
        live = sum(light.state == "live" for light in shown)
        self.setAccessibleName(f"Feeds: {live} of {len(shown)} live")
        if resized:
            self.updateGeometry()
        self.update()

    @property
    def states(self) -> list[str]:
        """The state of each light, from the left."""
        return [light.state for light in self._lights]

    # Qt

    def sizeHint(self) -> QSize:  # noqa: D102
        count = max(1, len(self._lights))
        high = self._theme.px(LIGHT_PX)
        return QSize(count * (high + BETWEEN_PX) - BETWEEN_PX + 1, high + 2)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        high = self._theme.px(LIGHT_PX)
        for i, light in enumerate(self._lights):
            colour, shape = _LOOKS.get(light.state, ("muted", "ring"))
            room = QRectF(i * (high + BETWEEN_PX) + 1, 1, high - 1, high - 1)
            ink = self._theme.qcolor(colour)
            filled = shape in ("disc", "triangle")
            painter.setBrush(ink if filled else Qt.BrushStyle.NoBrush)
            painter.setPen(Qt.PenStyle.NoPen if filled else QPen(ink, 1.8))
            _draw(painter, shape, room)
        painter.end()


def merged(lights: list[Light]) -> list[Light]:
    """One light a connection: its worst stream."""
    worst: dict[str, Light] = {}
    for light in lights:
        conn = light.name.partition("/")[0]
        before = worst.get(conn)
        if before is None or _rank(light.state) < _rank(before.state):
            worst[conn] = light
    return [Light(conn, light.state, light.words) for conn, light in worst.items()]


def _rank(state: str) -> int:
    return _WORST_FIRST.index(state) if state in _WORST_FIRST else 0


def _draw(painter: QPainter, shape: str, room: QRectF) -> None:
    if shape == "triangle":
        top = QPointF(room.center().x(), room.top())
        painter.drawPolygon(QPolygonF([top, room.bottomRight(), room.bottomLeft()]))
    elif shape == "cross":
        inner = room.adjusted(1.5, 1.5, -1.5, -1.5)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())
    else:
        inner = room if shape == "disc" else room.adjusted(1, 1, -1, -1)
        painter.drawEllipse(inner)
