"""Draws the program's icon in the sizes that desktops ask for.

    python packaging/icons.py FOLDER      hicolor/SIZExSIZE/apps/ in it, and .ico and .icns

Small sizes have a drawing of their own: thinner detail would be mud at 16 pixels.
"""

import os
import struct
import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

HERE = Path(__file__).resolve().parent
LARGE = HERE.parent / "resources" / "icons" / "desk.svg"
SMALL = HERE / "linux" / "basisdesk-small.svg"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
SMALL_MAX = 32  # pixels
NAME = "io.github.basisdesk.basisdesk"
ICNS_KINDS = {128: b"ic07", 256: b"ic08", 512: b"ic09"}
ICO_SIZES = (16, 24, 32, 48, 64, 256)


def png(size: int) -> bytes:
    """The icon as a PNG, size x size pixels. Needs a QGuiApplication."""
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    drawing = SMALL if size <= SMALL_MAX else LARGE
    QSvgRenderer(str(drawing)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """The icon file of Windows, of PNG pictures: size -> bytes."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    at, rows, body = 6 + 16 * len(pictures), b"", b""
    for size, data in pictures.items():
        edge = size % 256  # 256 is written as 0
        rows += struct.pack("<BBBBHHII", edge, edge, 0, 0, 1, 32, len(data), at + len(body))
        body += data
    return head + rows + body


def icns(pictures: dict[int, bytes]) -> bytes:
    """The icon file of macOS, of PNG pictures: size -> bytes."""
    body = b"".join(
        ICNS_KINDS[size] + struct.pack(">I", len(data) + 8) + data
        for size, data in pictures.items()
    )
    return b"icns" + struct.pack(">I", len(body) + 8) + body


def main(folder: Path) -> int:
    """Write all of them."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QGuiApplication([])
    drawn = {size: png(size) for size in SIZES}
    for size, data in drawn.items():
        _write(folder / "hicolor" / f"{size}x{size}" / "apps" / f"{NAME}.png", data)
    _write(folder / "hicolor" / "scalable" / "apps" / f"{NAME}.svg", LARGE.read_bytes())
    _write(folder / "basisdesk.ico", ico({size: drawn[size] for size in ICO_SIZES}))
    _write(folder / "basisdesk.icns", icns({size: drawn[size] for size in ICNS_KINDS}))
    del app
    return 0


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
