"""Which colour is which curve: small samples with their words, painted as the curves are."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from basisdesk.ui.theme import Theme, set_tip

SAMPLE_PX = 14
GAP_PX = 5
BETWEEN_PX = 12


@dataclass(frozen=True)
class Sample:
    """One entry. kind: "line", "dashed" or "band"."""

    text: str
    colour: QColor
    kind: str = "line"


class Legend(QWidget):
    """The samples in a row. Shows as many as fit, from the left."""

    def __init__(self, samples: list[Sample], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples = samples
        self._first = list(samples)
        self._theme = theme
        self.setFont(theme.font(11))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Legend: " + ", ".join(sample.text for sample in samples))
        set_tip(
            self,
            "Open is what entering would lock in at the ticket's size, close what leaving would "
            "cost, both in bp of the spot price. The cost zone is one round trip above fair value.",
        )

    def rename(self, names: dict[str, str]) -> None:
        """Call samples otherwise, by the words they were made with; others keep theirs."""
        fresh = [
            replace(sample, text=names.get(first.text, first.text))
            for first, sample in zip(self._first, self._samples, strict=True)
        ]
        if fresh != self._samples:
            self._samples = fresh
            words = ", ".join(sample.text for sample in fresh)
            self.setAccessibleName(f"Legend: {words}")
            self.updateGeometry()
            self.update()

    def _width(self, sample: Sample) -> int:
        return SAMPLE_PX + GAP_PX + QFontMetrics(self.font()).horizontalAdvance(sample.text)

    # Qt

    def sizeHint(self) -> QSize:  # noqa: D102
        width = sum(self._width(sample) + BETWEEN_PX for sample in self._samples) - BETWEEN_PX
        return QSize(width, QFontMetrics(self.font()).height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, D102
        painter = QPainter(self)
        painter.setFont(self.font())
        x, middle = 0, self.height() // 2
        for sample in self._samples:
            if x + self._width(sample) > self.width() + 1:
                break
            if sample.kind == "band":
                painter.fillRect(QRectF(x, middle - 5, SAMPLE_PX, 10), sample.colour)
            else:
                pen = QPen(sample.colour, 2 if sample.kind == "line" else 1)
                if sample.kind == "dashed":
                    pen.setDashPattern([3, 2])
                painter.setPen(pen)
                painter.drawLine(QLineF(x, middle, x + SAMPLE_PX, middle))
            painter.setPen(self._theme.qcolor("muted"))
            room = QRectF(x + SAMPLE_PX + GAP_PX, 0, self._width(sample), self.height())
            painter.drawText(
                room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, sample.text
            )
            x += self._width(sample) + BETWEEN_PX
        painter.end()
