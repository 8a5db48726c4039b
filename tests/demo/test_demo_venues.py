"""One port for all venues: sockets, pages, certificates, and what a full load asks of a pulse."""

import asyncio
import json
import ssl

import httpx
import pytest
import trustme
from websockets.asyncio.client import connect

from basisdesk.demo.coins import COINS
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.exchange import DemoOptions
from basisdesk.demo.listings import spec_of
from basisdesk.demo.server import LEGS_A_SLOT, SLOTS_MAX, Exchange
from basisdesk.errors import UserError
from tests.demo.demo_rig import EPOCH_MS, ask, hear, over_sockets, wire

pytestmark = pytest.mark.loopback

SOCKETS = {
    "/v5/public/spot": "bybit.spot",
    "/v5/public/linear": "bybit.linear",
    "/v5/public/spread": "bybit.spread",
    "/stream": "binance.spot",
    "/public/stream": "binance.public",
    "/market/stream": "binance.market",
    "/ws/v5/public": "okx.public",
    "/v2": "kraken.spot",
    "/ws/v1": "kraken.futures",
}
PAGES = [
    "/v5/market/time",
    "/api/v3/time",
    "/fapi/v1/time",
    "/api/v5/public/time",
    "/0/public/Time",
    "/derivatives/api/v3/instruments",
]


def test_every_path_of_the_contract_is_answered():
    paths = {path: conn for dialect in known_dialects() for path, conn in dialect.sockets.items()}
    assert paths == SOCKETS

    async def work(exchange):
        for path in SOCKETS:
            async with wire(exchange, path) as ws:
                await (await ws.ping())
        async with httpx.AsyncClient(
            trust_env=False, base_url=f"http://127.0.0.1:{exchange.port}"
        ) as http:
            pages = [(await http.get(path)).status_code for path in PAGES]
            return pages, (await http.get("/nowhere")).status_code

    assert over_sockets(work) == ([200] * len(PAGES), 404)


def test_the_spread_socket_quotes_both_legs():
    async def work(exchange):
        async with wire(exchange, "/v5/public/spread") as ws:
            await ask(ws, "orderbook.25.ADAUSDT_ADA/USDT")
            first = await hear(ws, lambda m: m.get("type") == "snapshot")
            return first["data"], (await hear(ws, lambda m: m.get("type") == "delta"))["data"]

    first, second = over_sockets(work)
    assert float(first["b"][0][0]) < float(first["a"][0][0])
    assert second["u"] == first["u"] + 1


def files(tmp_path, authority):
    made = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made.private_key_pem.write_to_path(key)
    for blob in made.cert_chain_pems:
        blob.write_to_path(cert, append=True)
    return cert, key


def test_sockets_and_pages_behind_a_certificate(tmp_path):
    authority = trustme.CA()
    cert, key = files(tmp_path, authority)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def work(exchange):
        url = f"wss://127.0.0.1:{exchange.port}/v5/public/spot"
        async with connect(url, proxy=None, ssl=trusting) as ws:
            await ask(ws, "orderbook.1.ADAUSDT")
            said = await hear(ws)
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connect(url, proxy=None):
                pass
        async with httpx.AsyncClient(trust_env=False, verify=trusting) as http:
            page = await http.get(f"https://127.0.0.1:{exchange.port}/v5/market/time")
        return said["topic"], page.status_code

    assert over_sockets(work, tls_cert=cert, tls_key=key) == ("orderbook.1.ADAUSDT", 200)


def test_certificates_that_cannot_be_used_are_one_sentence(tmp_path):
    cert, key = files(tmp_path, trustme.CA())
    with pytest.raises(UserError, match=r"^--tls-cert and --tls-key belong together: .*\.$"):
        Exchange(DemoOptions(tls_cert=cert))
    with pytest.raises(UserError, match=r"^The certificate .* cannot be used: .*\.$"):
        Exchange(DemoOptions(tls_cert=key, tls_key=cert))
    with pytest.raises(UserError, match=r"none\.pem .* cannot be used: No such file"):
        Exchange(DemoOptions(tls_cert=tmp_path / "none.pem", tls_key=key))


def test_many_legs_are_spread_over_the_pulse():
    """Forty spot legs: in a tenth of a second they speak in five parts, each leg once."""
    coins = [coin for coin in COINS if coin.kind == "coin" and spec_of("okx", "spot", coin)][:40]
    args = [{"channel": "books", "instId": spec_of("okx", "spot", c).symbol} for c in coins]

    async def work(exchange):
        async with wire(exchange, "/ws/v5/public", max_queue=None) as ws:
            await ws.send(json.dumps({"op": "subscribe", "args": args}))
            for _ in range(2 * len(args)):
                await hear(ws)
            stamps = {}
            while sum(map(len, stamps.values())) < 400:
                message = await hear(ws)
                row = message["data"][0]
                stamps.setdefault(int(row["ts"]), []).append(message["arg"]["instId"])
            return stamps

    stamps = list(over_sockets(work).values())[1:-1]
    assert -(-40 // LEGS_A_SLOT) == 5 <= SLOTS_MAX
    assert max(map(len, stamps)) <= LEGS_A_SLOT
    assert all(len(set(names)) == len(names) for names in stamps)


def test_a_page_of_all_instruments_does_not_stop_the_streams():
    async def work(exchange):
        async with (
            wire(exchange, "/v5/public/linear", max_queue=None) as ws,
            httpx.AsyncClient(trust_env=False) as http,
        ):
            await ask(ws, "orderbook.1.BTCUSDT")
            await hear(ws)
            url = f"http://127.0.0.1:{exchange.port}/v5/market/tickers?category=linear"
            getting = asyncio.create_task(http.get(url))
            heard = 0
            while not getting.done():
                await hear(ws)
                heard += 1
            return heard, len((await getting).json()["result"]["list"])

    heard, listed = over_sockets(work)
    assert heard >= 3
    assert listed >= 45


def test_two_clients_of_a_topic_hear_the_same_bytes_made_once():
    async def work(exchange):
        async with (
            wire(exchange, "/ws/v5/public") as one,
            wire(exchange, "/ws/v5/public") as two,
        ):
            wish = {"op": "subscribe", "args": [{"channel": "books", "instId": "ADA-USDT"}]}
            for ws in (one, two):
                await ws.send(json.dumps(wish))
            heard = [
                {message async for message in first(ws, 12) if '"update"' in message}
                for ws in (one, two)
            ]
            (voice,) = exchange.voices.values()
            return heard, len(voice.channels)

    async def first(ws, count):
        for _ in range(count):
            yield await ws.recv()

    (one, two), channels = over_sockets(work)
    assert channels == 1
    assert len(one & two) >= 6


def test_nothing_is_left_behind_when_clients_go():
    async def work(exchange):
        async with wire(exchange, "/v5/public/linear") as ws:
            await ask(ws, "orderbook.1.ADAUSDT", "orderbook.50.ADAUSDT")
            await hear(ws)
            assert len(exchange.voices) == 1
            await ask(ws, "orderbook.1.ADAUSDT", op="unsubscribe")
            await hear(ws, lambda m: "success" in m)
            assert len(exchange._channels) == 1
        while exchange.clients:  # noqa: ASYNC110 - the end of a socket has no event
            await asyncio.sleep(0.01)
        return exchange.voices, exchange._channels, exchange.trading.awake

    assert over_sockets(work, epoch_ms=EPOCH_MS) == ({}, {}, set())
