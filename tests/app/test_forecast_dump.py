"""The lines of a dump: small ones, and nothing of them is lost."""

import pytest

from basisdesk.app.forecast_dump import dump_of, lines_of
from basisdesk.app.forecast_life import Life
from tests.forecast.label_rig import LIVELY, stream


def test_a_dump_is_written_in_small_pieces():
    life = Life(LIVELY)
    for each in stream(600, 11):
        life.hear(*each)
    kept = life.dump()
    kept["forecaster"]["outcomes"] = [[1.0] * 9] * 8_192
    pieces = list(lines_of(kept))
    assert max(map(len, pieces)) < 100_000 < sum(map(len, pieces))


def test_a_dump_of_nothing_and_of_anything_comes_back(tmp_path):
    path = tmp_path / "dump"
    for kept in ({"a": {}}, {"a": {"b": {"c": []}}, "d": [[i] for i in range(1_000)], "e": ""}):
        path.write_bytes(b"".join(lines_of(kept)))
        assert dump_of(path) == kept
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(ValueError, match="damaged"):
        dump_of(path)
