from basisdesk.feed.asks import Asks
from basisdesk.feed.pace import Pace

GROUPS = {"x": ("a", "b"), "y": ("c",)}


def asks_sent(now_s=0.0):
    asks = Asks(Pace())
    asks.want(GROUPS)
    for n, topics in enumerate(asks.groups):
        asks.sent(topics, f"r-{n}", now_s)
    return asks


def test_want_says_what_is_new_and_what_goes():
    asks = Asks(Pace())
    assert asks.want(GROUPS) == ([("a", "b"), ("c",)], ())
    assert asks.want(GROUPS) == ([], ())
    new, dropped = asks.want({"y": ("c", "d")})
    assert (new, set(dropped)) == ([("d",)], {"a", "b"})
    assert list(asks.topics) == ["c", "d"]


def test_an_unanswered_ask_is_repeated_once_alone_and_then_the_connection_is_given_up():
    asks = asks_sent()
    asks.hear(b'{"success":true,"req_id":"r-1"}')
    assert asks.due(lambda _: "connecting", 4.9) == ([], "")
    assert asks.due(lambda _: "connecting", 5.0) == (["a", "b"], "")
    asks.sent(["a"], "r-2", 5.0)
    asks.sent(["b"], "r-3", 5.0)
    asks.hear(b'{"req_id":"r-3"}')
    assert asks.due(lambda _: "connecting", 10.0) == ([], "no answer to subscribe a")


def test_only_an_exact_id_is_an_answer():
    asks = asks_sent()
    asks.hear(b'{"req_id":"r-10"}')
    asks.hear(b'{"req_id":"r-1' + b" " * 3000 + b'"r-1"}')  # too long to be an ack
    assert asks.waiting
    asks.hear(b'{"req_id":"r-0"}')
    asks.hear(b'{"req_id":"r-1"}')
    assert not asks.waiting


def test_data_counts_as_an_answer():
    asks = asks_sent()
    assert asks.due(lambda _: "live", 6.0) == ([], "")
    assert asks.due(lambda _: "acked", 60.0) == ([], "")
    assert not asks.waiting  # nobody searches messages for an ack that was lost


def test_a_broken_stream_is_asked_at_once_then_ever_less_often_until_it_lives():
    asks, asked_s = Asks(Pace()), []
    asks.want({"x": ("a",)})
    asks.sent(["a"], "r", 0.0)
    asks.hear(b'"r"')
    for now_s in range(100, 400):
        again, reason = asks.due(lambda _: "resync", float(now_s))
        assert not reason
        if again:
            asked_s.append(now_s - 100)
            asks.sent(again, f"r{now_s}", float(now_s))
            asks.hear(f'"r{now_s}"'.encode())
    assert asked_s == [0, 5, 15, 35, 75, 135, 195, 255]
    asks.due(lambda _: "live", 500.0)
    assert asks.due(lambda _: "stale", 500.0) == (["a"], "")


def test_a_new_connection_was_asked_nothing():
    asks = asks_sent()
    asks.restart()
    assert not asks.waiting
    assert asks.due(lambda _: "down", 1e6) == ([], "")
    assert asks.groups == [("a", "b"), ("c",)]
