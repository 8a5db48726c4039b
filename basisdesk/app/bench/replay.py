"""A tape of 1 GB: how long until it is open, and until its middle stands in the engine.

The tape is made in a temporary folder from what a desk records of the demo exchange, over and over
with later stamps, so this group runs only when it is asked for: it needs the room and a minute.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from basisdesk.app.bench.source import LEGS, collect
from basisdesk.app.replay_parts import player_of
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import Frame
from basisdesk.lab.player import Player
from basisdesk.lab.tape import TapeWriter, header_for
from basisdesk.lab.tape_index import TapeIndex

STORED_BYTES = 1_000_000_000
ROOM_BYTES = 1_200_000_000
MESSAGES = 20_000
RATE = 20.0  # times the demo exchange's usual messages
SECONDS = 40.0
GAP_NS = 100_000_000  # between the end of the stream and its next begin
SLICE_S = 0.005  # as in the window
WALK_S = 4.0


def measure_replay() -> dict[str, float]:
    """replay.open_1gb_s and replay.jump_middle_s: without a side file; both together under 1.

    open_again_s: with one. walk_frames_per_s: through the player, in slices. slice_p99_ms, _max_ms:
    how long such a slice holds the window up, snapshots included.
    """
    frames = collect(LEGS, RATE, SECONDS, MESSAGES)
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < ROOM_BYTES:
            raise UserError(
                f"bench: a tape of {STORED_BYTES / 1e9:g} GB needs more room in {folder}. Free "
                "some, or set TMPDIR to another disk."
            )
        tape = Path(folder) / "bench.tape"
        _make(tape, frames)
        return _measure(tape)


def _make(tape: Path, frames: Sequence[Frame]) -> None:
    settings = Settings()
    header = header_for("demo", "bench", frames[0].t_ns, settings)
    with TapeWriter(tape, header, 2 * STORED_BYTES) as writer:
        for frame in _over_and_over(frames):
            writer.put(frame)
            if writer.bytes_written > STORED_BYTES:
                return


def _over_and_over(frames: Sequence[Frame]) -> Iterator[Frame]:
    length_ns = frames[-1].t_ns - frames[0].t_ns + GAP_NS
    later_ns = 0
    while True:
        for frame in frames:
            yield msgspec.structs.replace(frame, t_ns=frame.t_ns + later_ns)
        later_ns += length_ns


def _measure(tape: Path) -> dict[str, float]:
    began_s = mono_s()
    index = TapeIndex(tape)
    player = player_of(index, Settings())
    opened_s = mono_s()
    player.jump((player.first_ns + player.last_ns) // 2)
    while player.working:
        player.work()
    jumped_s = mono_s()
    index.save()
    again_s = mono_s()
    TapeIndex(tape)
    return {
        "replay.open_1gb_s": opened_s - began_s,
        "replay.jump_middle_s": jumped_s - opened_s,
        "replay.open_again_s": mono_s() - again_s,
        "replay.tape_h": (index.last_ns - index.first_ns) / 3.6e12,
        "replay.blocks": float(len(index)),
        **_walk(player),
    }


def _walk(player: Player) -> dict[str, float]:
    """Play on as fast as it goes, in slices as in the window."""
    frames, took = player.frames, []
    player.play(1_000.0)
    began_s = mono_s()
    while player.playing and mono_s() - began_s < WALK_S:
        slice_s = mono_s()
        player.tick(1.0, lambda end_s=slice_s + SLICE_S: mono_s() < end_s)  # type: ignore[misc]
        took.append((mono_s() - slice_s) * 1e3)
    took.sort()
    return {
        "replay.walk_frames_per_s": (player.frames - frames) / (mono_s() - began_s),
        "replay.slice_p99_ms": took[int(len(took) * 0.99)],
        "replay.slice_max_ms": took[-1],
        "replay.snapshots": float(len(player.snapshots)),
    }
