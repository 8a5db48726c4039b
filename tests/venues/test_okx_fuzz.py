"""Mutated OKX messages: events or BadFrame, nothing else; no number that is none; nothing kept."""

import json
import os
import random
from decimal import Decimal

import pytest
from fuzz_rig import (
    OUTCOMES,
    Twins,
    any_bytes,
    attempt,
    json_values,
    read_of,
    refused_of,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from okx_recorded import payloads

from basisdesk.venues.okx import Okx

MUTANTS = int(os.environ.get("BASISDESK_MUTANTS", "200000"))
WORDS = (
    "BTC-USDT", "ADA-USDT-SWAP", "OP-USDT-SWAP", "books", "trades", "snapshot", "update", "live",
    "SWAP", "1m", [["1", "2", "0", "1"]], [["2", "1"]], [[]],
)  # fmt: skip
PATHS = ("/api/v5/market/books?instId=OP-USDT-SWAP", "?&=")


def known_venue():
    venue = Okx()
    venue.contracts["BCH-USDT-SWAP"] = Decimal("0.1")
    return venue


@pytest.mark.parametrize("seed", range(4))
def test_mutants_are_events_or_bad_frames_and_leave_nothing_behind(seed):
    twins = Twins(lambda: known_venue().codec("okx.public"))
    messages = [message for _, message in payloads("okx.public")]
    refused = refused_of(twins, messages, MUTANTS // 4, random.Random(seed), WORDS)
    print(f"{MUTANTS // 4} mutants, {refused} refused by name, 0 otherwise")
    assert MUTANTS // 16 < refused < MUTANTS // 4


def test_mutants_of_answers_are_events_or_bad_frames():
    answers = [message for _, message in payloads("okx.rest")]
    codec = known_venue().codec("okx.rest")
    read = read_of(codec, answers, MUTANTS // 20, random.Random(11), WORDS, PATHS)
    assert read > MUTANTS // 200


@given(any_bytes)
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(message):
    starts = (
        b"",
        b'{"arg":{"channel":"bbo-tbt","instId":"ADA-USDT"},"data":',
        b'{"arg":{"channel":"books","instId":"ADA-USDT"},"action":"update","data":',
        b'{"event":"error","msg":',
        b'{"path":"/api/v5/public/time","data":',
    )
    for conn in ("okx.public", "okx.rest"):
        codec = Okx().codec(conn)
        outcomes = [attempt(codec, start + message) for start in starts]
        assert all(isinstance(outcome, OUTCOMES) for outcome in outcomes)


FIELDS = ("asks", "bids", "ts", "seqId", "prevSeqId", "checksum", "instId", "px", "sz", "side")


@given(
    st.sampled_from(["bbo-tbt", "books", "trades", "funding-rate", "open-interest", "mark-price"]),
    st.sampled_from(["ADA-USDT", "ADA-USDT-SWAP", "OP-USDT-SWAP"]),
    st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values), max_size=2),
)
@hypothesis_settings(max_examples=300)
def test_any_rows_are_events_or_a_bad_frame(channel, symbol, rows):
    message = {"arg": {"channel": channel, "instId": symbol}, "action": "update", "data": rows}
    assert isinstance(attempt(Okx().codec("okx.public"), json.dumps(message).encode()), OUTCOMES)


PAGES = (
    "public/instruments",
    "public/position-tiers",
    "public/funding-rate",
    "public/funding-rate-history",
    "public/mark-price",
    "public/open-interest",
    "public/time",
    "market/books?instId=ADA-USDT",
    "market/candles?instId=ADA-USDT&bar=1m",
)


@given(
    st.sampled_from(PAGES),
    st.sampled_from(["0", "0", "0", "51001", 0]),
    st.lists(json_values, max_size=3) | json_values,
)
@hypothesis_settings(max_examples=300)
def test_any_answer_is_events_or_a_bad_frame(path, code, rows):
    body = json.dumps({"code": code, "msg": "", "data": rows})
    frame = json.dumps({"path": f"/api/v5/{path}", "data": body}).encode()
    assert isinstance(attempt(Okx().codec("okx.rest"), frame), OUTCOMES)
