"""Tapes played without a window, and what every way of playing them has to agree on."""

import random
from decimal import Decimal

import msgspec

from basisdesk.config import Paper, Settings, load_settings
from basisdesk.engine import Engine
from basisdesk.events import BEAT, COMMAND, ClosePair, ExitPlan, Frame, OpenPair, SetValue
from basisdesk.lab import replay
from basisdesk.lab.player import Player
from basisdesk.lab.snapshots import KeptJournal
from basisdesk.lab.tape import TapeWriter, header_for
from basisdesk.lab.tape_index import TapeIndex
from basisdesk.venues import known_venues
from tests.bybit_wire import LINEAR, SPOT, book, instruments, ticker

S = 1_000_000_000
T0 = 1_735_689_600 * S
ADA, ADA_PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PLAN = ExitPlan(Decimal(-9_000), Decimal(9_000))
SHORT_FRAMES = 1_500  # a longer tape takes seconds each time; the short ones cover what it does


def player_of(tape, settings, commands=(), every=50):
    """A player on a tape, with a snapshot after every few frames."""
    index = TapeIndex(tape)
    journal = KeptJournal()

    def begin(engine):
        if not index.header.entries:
            replay.open_session(engine, index.header)

    engine = Engine(settings, known_venues(), journal, index.header.speed)
    player = Player(index, engine, journal, begin, commands)
    player.snapshots.every = every
    return player


def settle(player):
    """Let a jump, a step or a walk come to its end."""
    while player.working:
        player.work()
    return player


def play_out(player, speed, ticks=2_000):
    """Play to the end in virtual time: so many ticks at most for the rest of the tape."""
    player.play(speed)
    dt_s = max(0.02, (player.index.last_ns - player.now_ns) / S / speed / ticks)
    while player.playing:
        player.tick(dt_s)
    last_ns = max([player.index.last_ns, *(frame.t_ns for frame in player.commands)])
    player._walk_to(last_ns, lambda: True)  # commands behind the last frame
    return player.engine.books.digest()


def scrub(player, rng, times=6):
    """Jump about."""
    for _ in range(times):
        settle(player).jump(rng.randint(player.first_ns, player.index.last_ns))
        settle(player)


def plays_alike(tape, commands, config, digest):
    """Assert that a tape gives this ledger digest at 1x, at 100x and after scrubbing."""
    settings = load_settings(config)
    by_hand = replay.read_commands(commands)

    def fresh():
        return player_of(tape, settings, by_hand)

    player, index = fresh(), TapeIndex(tape)
    if sum(len(index.frames(block)) for block in range(len(index))) > SHORT_FRAMES:
        return
    assert play_out(player, 1.0) == digest
    player = fresh()
    assert play_out(player, 100.0) == digest
    scrub(player, random.Random(len(digest)), 2)
    assert play_out(player, 1_000.0) == digest


class Recording:
    """A small tape of the ADA pair on Bybit: quotes and a beat each second, by the second."""

    def __init__(self, source="demo", entries=0):
        self.frames = []
        settings = Settings(paper=Paper(latency_ms=0))
        self.header = header_for(source, "0", T0, settings, entries=entries)
        self.seq = 5
        self.tell(0, SetValue("pair", f"{ADA} {ADA_PERP}"))
        self.rows(0, instruments())

    def rows(self, second, rows):
        for row in rows:
            payload = row["data"].encode() if isinstance(row["data"], str) else b""
            if row["conn"].endswith(".rest"):
                payload = msgspec.json.encode({"path": row["path"], "data": row["data"]})
            self.frames.append(Frame(row["conn"], payload, T0 + round(second * S)))

    def tell(self, second, command):
        t_ns = T0 + round(second * S)
        payload = msgspec.json.encode(msgspec.structs.replace(command, t_ns=t_ns))
        self.frames.append(Frame(COMMAND, payload, t_ns))

    def quotes(self, first, last, seed=1):
        """Prices that wander, each second from first to last."""
        rng = random.Random(seed)
        for second in range(first, last + 1):
            self.seq += 1
            ms = T0 // 1_000_000 + second * 1000
            spot = Decimal("0.3640") + Decimal(rng.randint(-20, 20)) / 10_000
            perp = spot + Decimal(rng.randint(5, 30)) / 10_000
            tick = Decimal("0.0001")
            self.rows(second, book(SPOT, str(spot), str(spot + tick), "500000", ms, self.seq))
            self.rows(second, book(LINEAR, str(perp), str(perp + tick), "500000", ms, self.seq))
            told = ticker(str(perp), "0.0001", (T0 // S // 28_800 + 1) * 28_800_000, ms)
            self.rows(second, [told])
            self.frames.append(Frame(BEAT, b"", T0 + second * S))
        return self

    def write(self, path, block_bytes=None, monkeypatch=None):
        if block_bytes:
            monkeypatch.setattr("basisdesk.lab.tape.BLOCK_BYTES", block_bytes)
        with TapeWriter(path, self.header, 1 << 30) as tape:
            for frame in self.frames:
                tape.put(frame)
        return path


def opening(qty="1000"):
    return OpenPair(ADA, ADA_PERP, Decimal(qty), Decimal(2), PLAN)


def closing(pair=1):
    return ClosePair(pair)
