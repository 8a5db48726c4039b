"""What the forecast learned outlives a restart, a crash and a damaged file; signals are kept."""

import asyncio
import json
import os
import stat
import sys

import msgspec
import pytest

from basisdesk.app import forecast_disk, forecast_signals
from basisdesk.app.forecast_disk import SampleStore
from basisdesk.app.forecast_keeping import Keeping
from basisdesk.app.forecast_life import PAIRS_KEPT, Life
from basisdesk.app.forecast_signals import SignalFile, signal_files
from basisdesk.forecast.signals import Ended, Noted, Overridden, SignalBook, rows_of
from basisdesk.lab.signals import HEAD, signals_table
from tests.forecast.label_rig import LIVELY, quote, stream

BEATS = 2_400  # ten seconds apart: 6.7 hours of two pairs
CUT = 3_333  # in the middle of open labels


def same(one, other):
    """Equal to the last bit."""
    if one is None or other is None:
        return one is other
    fields = ("p", "low", "high", "p_star", "raw", "logit", "bias", "abstain", "version", "n_eff")
    equal = all(getattr(one, name) == getattr(other, name) for name in fields)
    return equal and one.contributions.tobytes() == other.contributions.tobytes()


@pytest.fixture(scope="module")
def lived():
    """(ticks, scores, life) of one life that never stopped."""
    ticks = stream(BEATS, 11)
    life = Life(LIVELY)
    scores = [life.hear(*each) for each in ticks]
    return ticks, scores, life


def new():
    return Life(LIVELY)


def again(kept):
    return Life.restored(kept)


def begun(folder):
    store = SampleStore(folder)
    return store, store.restore(new, again)


def go_on(life, lived, at):
    """Every later score is as in the life that never stopped."""
    ticks, scores, whole = lived
    assert all(
        same(life.hear(*each), score) for each, score in zip(ticks[at:], scores[at:], strict=True)
    )
    assert json.dumps(life.dump()) == json.dumps(whole.dump())


def test_a_stop_and_a_start_change_no_later_score(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:CUT]:
        life.hear(*each)
    assert life.forecaster.open_labels() > 5
    assert life.forecaster.model.n > 50
    assert store.checkpoint(life, ticks[:CUT])
    store, life = begun(tmp_path)
    assert store.rows == 0
    assert not store.problem
    go_on(life, lived, CUT)


def test_a_crash_in_the_middle_of_open_labels_changes_no_later_score(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:2_000]:
        life.hear(*each)
    assert store.checkpoint(life, ticks[:2_000])
    for at in range(2_000, CUT, 31):  # appended, and never dumped
        assert store.append(ticks[at : min(at + 31, CUT)])
    samples = max(tmp_path.glob("samples-*.log"))
    with samples.open("ab") as file:
        file.write(b'12345678 {"pair": "torn')
    store, life = begun(tmp_path)
    assert store.rows == CUT - 2_000
    assert life.forecaster.open_labels() > 5
    go_on(life, lived, CUT)


def test_a_damaged_dump_is_made_again_from_the_one_before(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for start, end in ((0, 1_000), (1_000, 2_000), (2_000, CUT)):
        for each in ticks[start:end]:
            life.hear(*each)
        if end < CUT:
            assert store.checkpoint(life, ticks[start:end])
        else:
            assert store.append(ticks[start:end])
    newest = max(tmp_path.glob("dump-*.json"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    store, life = begun(tmp_path)
    assert "damaged" in store.problem
    assert (tmp_path / "dump.bad").exists()
    assert store.rows == CUT - 1_000
    go_on(life, lived, CUT)


def test_nothing_after_a_damage_in_the_samples_is_read(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    store.append(ticks[:100])
    samples = max(tmp_path.glob("samples-*.log"))
    lines = samples.read_bytes().splitlines(keepends=True)
    lines[60] = lines[60][:20] + b"7" + lines[60][21:]
    samples.write_bytes(b"".join(lines))
    store, life = begun(tmp_path)
    assert store.rows == 60
    go_on(life, lived, 60)


def test_a_dump_of_another_program_is_kept_aside_and_learning_begins_anew(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:50]:
        life.hear(*each)
    store.checkpoint(life, ())
    for path in tmp_path.glob("dump-*.json"):
        kept = json.loads(path.read_bytes().partition(b" ")[2])
        kept["forecaster"]["format"] = 99
        body = json.dumps(kept).encode()
        path.write_bytes(b"%08x %b\n" % (forecast_disk.zlib.crc32(body), body))
    store, life = begun(tmp_path)
    assert "format 99" in store.problem
    assert not life.knows("pair 0")
    assert (tmp_path / "dump.bad").exists()


def test_the_files_are_two_generations_and_nobody_elses(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path / "deep" / "down")
    for at in range(0, 200, 20):
        for each in ticks[at : at + 20]:
            life.hear(*each)
        assert store.checkpoint(life, ticks[at : at + 20])
    names = sorted(path.name for path in store.folder.iterdir())
    assert names == ["dump-000010.json", "dump-000011.json", "samples-000010.log"]
    if sys.platform != "win32":
        modes = {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
        assert modes == {0o600}
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_a_large_journal_asks_for_the_next_generation(tmp_path, lived, monkeypatch):
    ticks, *_ = lived
    monkeypatch.setattr(forecast_disk, "SAMPLES_BYTES_MAX", 20_000)
    store, life = begun(tmp_path)
    assert not store.full
    store.append(ticks[:100])
    assert store.full
    store.checkpoint(life, ())
    assert not store.full


def test_a_full_disk_is_said_and_what_waits_is_written_later(tmp_path, lived, monkeypatch):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    store.append(ticks[:40])
    real, left = os.write, [100]

    def full(handle, data):
        if not left[0]:
            raise OSError(28, "No space left on device")
        n = real(handle, bytes(data)[: left[0]])
        left[0] -= n
        return n

    monkeypatch.setattr(forecast_disk.os, "write", full)
    assert not store.append(ticks[40:80])
    assert "No space left" in store.problem
    assert not store.checkpoint(life, ticks[40:80])
    monkeypatch.setattr(forecast_disk.os, "write", real)
    assert store.append(ticks[40:80])
    assert not store.problem
    _, life = begun(tmp_path)
    go_on(life, lived, 80)


def test_a_pair_that_is_forgotten_is_forgotten_in_the_journal_too(tmp_path, lived):
    ticks, *_ = lived
    heard = [*ticks[:400], ("pair 0", None), *ticks[400:800]]
    store, life = begun(tmp_path)
    for each in heard:
        life.hear(*each)
    store.append(heard)
    _, other = begun(tmp_path)
    assert json.dumps(other.dump()) == json.dumps(life.dump())
    for each in ticks[800:1_000]:
        assert same(other.hear(*each), life.hear(*each))


def test_the_longest_silent_pair_is_spare():
    life = Life(LIVELY)
    for k in range(PAIRS_KEPT + 1):
        assert not life.spare
        life.hear(f"pair {k}", quote(float(k), 5.0))
    assert life.spare == "pair 0"


# --- the signal journal --------------------------------------------------------------------------


def test_signals_are_written_once_however_often_they_are_heard(tmp_path, lived):
    ticks, *_ = lived

    async def twice():
        keeping = Keeping(tmp_path, LIVELY, 0.02)
        life = await keeping.restore()
        for at, each in enumerate(ticks[:CUT]):
            life.hear(*each)
            keeping.put(each)
            if at == 2_000:
                keeping.take(life)
                await keeping.checkpoint(life)
        keeping.take(life)
        await keeping.append()  # a crash comes here: the samples since 2,000 are heard again
        other = Keeping(tmp_path, LIVELY, 0.02)
        life = await other.restore()
        await other.append()
        for each in ticks[CUT:]:
            life.hear(*each)
            other.put(each)
        await other.finish(life)
        return other.book

    book = asyncio.run(twice())
    whole = SignalBook()
    for row in rows_of(fresh_taken(ticks)):
        assert whole.take(row)
    assert list(book.all()) == list(whole.all())
    lines = (tmp_path / "signals.jsonl").read_bytes().splitlines()
    assert len(lines) == len(set(lines))
    written = SignalFile(tmp_path).restore()
    assert list(written.all()) == list(whole.all())
    assert any(each.label is not None for each in written.all())
    assert written.newest(1)[0].outcome.startswith("open")


def fresh_taken(ticks):
    life = Life(LIVELY)
    for each in ticks:
        life.hear(*each)
    return life.forecaster.taken()


NOTED = Noted(7, 5_000_000_000, "a:spot:X b:perp:X", 1, "ab", 0.6, 0.55, "lr1", "=cmd()", 12.0)
ENDED = Ended(7, 1, 10.5, 6_000_000_000, -3.0, 10.5, "target", 9_000_000_000)


def test_an_override_is_joined_with_its_candidate(tmp_path):
    file = SignalFile(tmp_path)
    assert file.append([NOTED, Overridden(7, 5, "not taken", "news tonight")])
    assert file.append([ENDED])
    told = file.restore().newest(5)
    assert [each.override for each in told] == ["not taken: news tonight"]
    assert told[0].outcome == "success by target, net 10.5 bp"


def test_a_torn_tail_costs_one_row(tmp_path):
    file = SignalFile(tmp_path)
    file.append([NOTED])
    with file.path.open("ab") as raw:
        raw.write(b'{"kind":"outcome","candi')
    assert file.append([ENDED])
    assert [each.label is not None for each in file.restore().all()] == [True]


def test_the_signal_journal_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast_signals, "PART_BYTES_MAX", 2_000)
    file = SignalFile(tmp_path)
    for number in range(200):
        file.append([msgspec.structs.replace(NOTED, id=number)])
    parts = signal_files(tmp_path)
    assert len(parts) == forecast_signals.PARTS
    assert all(path.stat().st_size <= 2_000 for path in parts)
    ids = [int(row[1]) for row in signals_table(parts)[1:]]
    assert ids == list(range(ids[0], 200))


def test_signals_are_a_table_of_the_session_log(tmp_path):
    file = SignalFile(tmp_path)
    file.append([NOTED, ENDED, msgspec.structs.replace(NOTED, id=8)])
    head, first, second = signals_table([file.path])
    assert head == list(HEAD)
    row = dict(zip(head, first, strict=True))
    assert (row["spot"], row["perp"], row["outcome"]) == ("a:spot:X", "b:perp:X", "target")
    assert (row["p"], row["net_bp"], row["target_bp"]) == ("0.5500", "10.50", "")
    assert dict(zip(head, second, strict=True))["outcome"] == "open"
