"""What the forecast learned outlives a restart, a crash and a damaged file; signals are kept."""

import asyncio
import json
import math
import os
import stat
import sys

import msgspec
import pytest

from basisdesk.app import forecast_disk, forecast_dump, forecast_signals
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
    assert "samples-000001.log cannot be read after row 60: it is damaged" in store.problem
    store.append(())
    assert store.problem  # it is said as long as the desk is open
    go_on(life, lived, 60)


def test_a_row_that_is_none_costs_what_is_behind_it_and_not_what_was_learned(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:2_000]:
        life.hear(*each)
    store.checkpoint(life, ticks[:2_000])
    name, tick = ticks[2_500]
    odd = name, msgspec.structs.replace(tick, settled=((1, math.nan),))  # JSON has no NaN
    store.append([*ticks[2_000:2_500], odd, *ticks[2_501:2_600]])
    store, life = begun(tmp_path)
    assert store.rows == 500
    assert "after row 500" in store.problem
    assert not (tmp_path / "dump.bad").exists()
    go_on(life, lived, 2_500)


def test_a_start_on_a_full_disk_destroys_nothing(tmp_path, lived, monkeypatch):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:1_000]:
        life.hear(*each)
    store.checkpoint(life, ticks[:1_000])
    store.append(ticks[1_000:2_000])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(path, lines):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as away:
        away.setattr(forecast_disk, "_write_whole", full)
        for start, end in ((2_000, 2_500), (2_500, CUT)):  # two starts, and a little room for rows
            store, life = begun(tmp_path)
            assert "No space left" in store.problem
            assert store.append(ticks[start:end])
    now = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name: now[name] for name in before} == before
    store, life = begun(tmp_path)
    assert store.rows == CUT - 1_000
    newest = max(tmp_path.glob("dump-*.json"))
    newest.write_bytes(newest.read_bytes()[:-9])  # even so the dump before and all since are there
    store, life = begun(tmp_path)
    assert store.rows == CUT - 1_000
    go_on(life, lived, CUT)


def test_a_dump_of_an_older_program_is_read(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:CUT]:
        life.hear(*each)
    store.checkpoint(life, ticks[:CUT])
    newest = max(tmp_path.glob("dump-*.json"))
    newest.write_bytes(forecast_dump.line(life.dump()))  # all of it in one line
    _, life = begun(tmp_path)
    go_on(life, lived, CUT)


# --- a clock that was ahead ----------------------------------------------------------------------

YEAR_NS = 365 * 86_400 * 10**9


def test_pairs_of_a_clock_that_was_ahead_begin_anew(tmp_path, lived):
    ticks, *_ = lived
    late = [
        (name, msgspec.structs.replace(tick, t_ns=tick.t_ns + YEAR_NS))
        for name, tick in ticks[400:410]
    ]

    async def live():
        keeping = Keeping(tmp_path, LIVELY, 0.02)
        life = await keeping.restore(ticks[0][1].t_ns)
        for each in (*ticks[:400], *late):
            life.hear(*each)
            keeping.put(each)
        await keeping.finish(life)
        other = Keeping(tmp_path, LIVELY, 0.02)
        life = await other.restore(ticks[410][1].t_ns)
        assert not life.knows("pair 0")  # so that its past minutes are told
        assert life.hear(*ticks[410]) is not None
        assert "clock" in other.problem
        other.put(ticks[410])
        await other.append()  # and no more: a crash
        third = Keeping(tmp_path, LIVELY, 0.02)
        again = await third.restore(ticks[411][1].t_ns)
        assert json.dumps(again.dump()) == json.dumps(life.dump())
        assert not third.problem

    asyncio.run(live())


def test_a_clock_set_back_while_the_desk_is_open_is_noticed(lived):
    ticks, *_ = lived
    life = Life(LIVELY)
    for each in ticks[:40]:
        life.hear(*each)
    name, tick = ticks[0]
    assert life.hear(name, tick) is not None
    assert life.set_back == 1
    assert life.hear(name, msgspec.structs.replace(tick, t_ns=tick.t_ns - 10**9)) is None


def test_a_dump_of_another_program_is_kept_aside_and_learning_begins_anew(tmp_path, lived):
    ticks, *_ = lived
    store, life = begun(tmp_path)
    for each in ticks[:50]:
        life.hear(*each)
    store.checkpoint(life, ())
    for path in tmp_path.glob("dump-*.json"):
        kept = forecast_dump.dump_of(path)
        kept["forecaster"]["format"] = 99
        path.write_bytes(b"".join(forecast_dump.lines_of(kept)))
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


def models(folder, n):
    """So many models given up, the newest last, each with a dump, samples and signals."""
    for k in range(n):
        old = folder / f"{k:08x}"
        old.mkdir(parents=True)
        for name in ("dump-000001.json", "samples-000001.log", "dump.bad", "signals.jsonl"):
            (old / name).write_text("x")
            os.utime(old / name, ns=(k * 10**9, k * 10**9))


def test_models_long_given_up_go_and_their_signals_later(tmp_path):
    models(tmp_path, forecast_disk.FOLDERS_MAX + 5)
    begun(tmp_path / "ffffffff")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == forecast_disk.FOLDERS_MAX
    whole = [name for name in left if (tmp_path / name / "dump-000001.json").exists()]
    assert whole == [*left[-forecast_disk.MODELS_MAX : -1], "ffffffff"]
    assert all((tmp_path / name / "signals.jsonl").exists() for name in left[:-1])
    assert left[0] == "00000006"


def test_nothing_that_is_not_a_model_is_pruned(tmp_path):
    models(tmp_path / "market", forecast_disk.FOLDERS_MAX + 5)
    oldest = tmp_path / "market" / "00000000"
    (oldest / "notes.txt").write_text("mine")
    (tmp_path / "market" / "elsewhere").mkdir()
    (tmp_path / "market" / "elsewhere" / "dump-000001.json").write_text("x")
    far = tmp_path / "far"
    far.mkdir()
    (far / "dump-000001.json").write_text("x")
    if sys.platform != "win32":
        (tmp_path / "market" / "aaaaaaaa").symlink_to(far)
    begun(tmp_path / "market" / "ffffffff")
    assert [path.name for path in oldest.iterdir()] == ["notes.txt"]
    assert (tmp_path / "market" / "elsewhere" / "dump-000001.json").exists()
    assert (far / "dump-000001.json").exists()


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
        life = await keeping.restore(ticks[0][1].t_ns)
        for at, each in enumerate(ticks[:CUT]):
            life.hear(*each)
            keeping.put(each)
            if at == 2_000:
                keeping.take(life)
                await keeping.checkpoint(life)
        keeping.take(life)
        await keeping.append()  # a crash comes here: the samples since 2,000 are heard again
        other = Keeping(tmp_path, LIVELY, 0.02)
        life = await other.restore(ticks[CUT][1].t_ns)
        await other.append()
        for each in ticks[CUT:]:
            life.hear(*each)
            other.put(each)
        await other.finish(life)
        return other.book

    book = asyncio.run(twice())
    whole = SignalBook()
    for row in rows_of(*fresh_taken(ticks)):
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
    return life.taken()


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
