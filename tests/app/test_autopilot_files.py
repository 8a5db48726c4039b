"""What the autopilot keeps on the disk, damaged; and a disk that is slow or full."""

import asyncio
import json
import threading

import pytest

from basisdesk.app.autopilot_disk import AutopilotFiles
from basisdesk.events import ClosePair
from basisdesk.playbook.autopilot import Autopilot
from basisdesk.playbook.reader import ViewReader
from tests.app.test_autopiloting import Desk, run
from tests.playbook.playbook_rig import T0, S, but, held, view

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.mark.parametrize(
    "shape",
    [
        {"autopilot": []},
        {"autopilot": None},
        {"bands": []},
        {"bands": {"a b": []}},
        {"bands": {"a b": {}}},
        {"t_ns": "x"},
        {"orderly": 1},
    ],
    ids=str,
)
def test_a_whole_file_of_another_shape_is_put_aside(tmp_path, shape):
    folder = tmp_path / "autopilot"
    folder.mkdir()
    kept = {"t_ns": T0, "orderly": True, "autopilot": Autopilot().dump(), "bands": {}}
    (folder / "autopilot.json").write_text(json.dumps(kept | shape))

    async def work():
        desk = Desk(tmp_path)
        desk.part._reader = ViewReader(desk.engine)
        await desk.begin()
        assert desk.failed == []
        assert desk.view.ready
        assert "cannot be read" in desk.view.problem
        assert json.loads((folder / "autopilot.bad.json").read_text()) == kept | shape
        await desk.part.stop()

    run(work())


def test_a_flipped_bit_is_noticed(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto", entry_z=2.0)
        await desk.part.stop()

    run(work())
    files = AutopilotFiles(tmp_path / "autopilot")
    path = tmp_path / "autopilot" / "autopilot.json"
    whole = path.read_bytes()
    assert files.load().orderly
    ends = len(whole) - len(b',"crc":"00000000"}')
    for at in range(0, ends, 7):
        flipped = bytes([whole[at] ^ 1])
        path.write_bytes(whole[:at] + flipped + whole[at + 1 :])
        assert files.load() is None
        assert "damaged" in files.problem


# --- a slow disk ----------------------------------------------------------------------------------


class Gate:
    """A disk that hangs from now on, until it is let go."""

    def __init__(self, desk):
        self.open, self.busy = threading.Event(), threading.Event()
        self.save = desk.part._files.save
        desk.part._files.save = self.wait

    def wait(self, kept, notes):
        self.busy.set()
        assert self.open.wait(20.0)
        return self.save(kept, notes)

    async def hangs(self):
        assert await asyncio.to_thread(self.busy.wait, 20.0)


def unanswered(desk):
    (note,) = [each for each in desk.view.notes if each.kind == "unanswered"]
    return note.text


@pytest.mark.parametrize(
    ("waits_s", "mode", "why"),
    [(1, "auto", ""), (6, "auto", "it waited 6 s"), (1, "off", "set to off")],
)
def test_an_entry_that_waited_for_the_disk(tmp_path, waits_s, mode, why):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        await desk.rest()
        gate = Gate(desk)
        desk.engine.now_ns += S
        desk.part._on_beat()
        await gate.hangs()
        if mode == "off":
            assert desk.set("off") == ""
        desk.engine.now_ns += waits_s * S
        gate.open.set()
        await desk.rest()
        assert len(desk.sent) == (not why)
        desk.part._on_beat()
        assert not why or why in unanswered(desk)
        await desk.part.stop()

    run(work())


def test_nothing_is_entered_that_the_disk_does_not_remember(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        await desk.rest()
        desk.part._files.save = lambda *_: False
        await desk.beat()
        await desk.beat()
        assert desk.sent == []
        assert "cannot be written" in unanswered(desk)
        await desk.part.stop()

    run(work())


def test_a_close_does_not_wait_for_the_disk(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        await desk.beat()
        (order,) = desk.sent
        position = held(order.exit, "40", opened_ns=desk.engine.now_ns, by=order.by)
        gate = Gate(desk)
        desk.reader.given = but(view(50.0), held=position)
        desk.part._on_beat()
        assert desk.sent[1:] == [ClosePair(1, by="autopilot: decoupling, time")]
        gate.open.set()
        await desk.part.stop()

    run(work())
