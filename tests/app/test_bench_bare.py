"""The limit beside the engine's figures decodes what it claims to: real messages, typed."""

import pytest

from basisdesk.app.bench.bare import decoder_for, share_typed
from basisdesk.app.bench.source import is_message, pairs_of
from basisdesk.lab.tape import TapeReader
from basisdesk.venues import known_venues
from tests.captures import tape_of


@pytest.mark.parametrize(("name", "share"), [("bybit", 0.95), ("okx", 0.75), ("binance", 1.0)])
def test_real_messages_have_a_struct_of_their_own_and_fit_it(tmp_path, name, share):
    frames = [f for f in TapeReader(tape_of(name, tmp_path / "t.tape")) if is_message(f)][:5_000]
    assert share_typed([(f.conn, f.payload) for f in frames]) >= share
    for frame in frames:
        assert decoder_for(frame.conn, frame.payload)(frame.payload) is not None


@pytest.mark.parametrize("name", known_venues())
def test_the_forty_pairs_are_legs_that_their_venue_has_topics_for(name):
    venue = known_venues()[name]
    pairs = pairs_of(name)
    assert len(pairs) == 10
    for pair in pairs:
        for key in pair:
            assert sum(map(len, venue.topics(key).values())) >= 3
