from dataclasses import dataclass

from basisdesk.feed.asks import SEED_AFTER, Asks, Due
from basisdesk.feed.pace import Pace
from basisdesk.venues import TopicRule

NOTHING = Due([], [], [], [])
RULES = {
    "book": TopicRule("book", 50, quiet_s=6.0, stateful=True),
    "diff": TopicRule("book", 50, quiet_s=6.0, stateful=True, seeded=True),
    "quiet": TopicRule("top", 1),
}


@dataclass
class View:
    state: str = "connecting"
    asked_ns: int = 10**18
    heard_ns: int = 0


class Desk:
    """Asks on a wire that sends at once, and a market that hears of it at once."""

    def __init__(self, *topics, settle_s=0.0):
        self.views = {}
        rule = lambda topic: RULES.get(topic, RULES["book"])  # noqa: E731
        self.asks = Asks(Pace(), rule, self.views.get, settle_s)
        self.asks.want(topics, 0.0)

    def send(self, topics, now_s=0.0, said_ns=1):
        self.asks.queued(topics)
        self.asks.sent(topics, said_ns, now_s)
        self.views |= {topic: View() for topic in topics}

    def all_in(self, state):
        for view in self.views.values():
            view.state = state

    def asked_during(self, seconds, begin=0):
        """Seconds at which a topic was asked again, and which seeds were fetched."""
        again, seeds = [], []
        for now_s in range(begin, begin + seconds):
            due = self.asks.due(float(now_s))
            assert not due.cut
            seeds += [now_s] * len(due.seeds)
            if topics := due.again + due.unanswered + due.refused:
                again.append(now_s)
                self.asks.asked_again(topics)
                self.asks.sent(topics, 1, float(now_s))
        return again, seeds


def test_only_what_is_new_is_asked_and_what_leaves_lingers():
    desk = Desk("a", "b")
    assert desk.asks.fresh(0.0) == ["a", "b"]
    desk.send(("a", "b"))
    desk.asks.want(("b", "c"), 10.0)
    assert desk.asks.fresh(10.0) == ["c"]
    assert desk.asks.wanted() == ["b", "c"]
    assert desk.asks.gone(10.9) == ([], [])
    desk.asks.want(("a", "b"), 10.95)  # looked back in time: nothing is to be done for a
    assert desk.asks.fresh(10.95) == []
    assert desk.asks.gone(20.0) == ([], ["c"])
    desk.asks.want((), 30.0)
    assert not desk.asks
    assert desk.asks.gone(31.0) == (["a", "b"], [])
    assert desk.asks.gone(32.0) == ([], [])


def test_where_requests_are_counted_a_wish_has_to_last():
    desk = Desk("a", settle_s=0.5)
    assert desk.asks.fresh(0.4) == []
    assert desk.asks.fresh(0.4, at_once=True) == ["a"]  # a new connection asks for all
    assert desk.asks.fresh(0.5) == ["a"]


def test_an_unanswered_ask_is_repeated_once_alone_and_then_the_connection_is_given_up():
    desk = Desk("a", "b", "c")
    desk.send(("a", "b", "c"))
    desk.views["c"].state = "acked"
    assert desk.asks.due(4.9) == NOTHING
    assert desk.asks.due(5.0).unanswered == ["a", "b"]
    desk.asks.asked_again(["a", "b"])
    assert desk.asks.due(7.0) == NOTHING  # they wait for their turn to be sent
    desk.asks.sent(["a", "b"], 2, 8.0)
    desk.views["b"].state = "acked"
    assert desk.asks.due(12.0) == NOTHING
    assert desk.asks.due(13.0).cut == "no answer to subscribe a"


def test_an_engine_that_is_behind_is_not_the_venues_fault():
    desk = Desk("a")
    desk.send(("a",), said_ns=500)
    desk.views["a"] = View("down", asked_ns=499)  # what the market said before it heard of it
    assert desk.asks.due(60.0) == NOTHING
    desk.views["a"].asked_ns = 500
    assert desk.asks.due(60.0).refused == ["a"]


def test_where_much_comes_in_an_answer_may_come_late():
    desk = Desk("a", "b")
    desk.send(("a", "b"))
    desk.views["b"].state = "resync"
    assert desk.asks.due(60.0, swamped=True) == Due(["b"], [], [], [])
    assert desk.asks.due(60.0).unanswered == ["a"]


def test_data_counts_as_an_answer():
    desk = Desk("a")
    desk.send(("a",))
    for state in ("live", "acked"):
        desk.all_in(state)
        assert desk.asks.due(600.0) == NOTHING


def test_a_broken_stream_is_asked_at_once_then_ever_less_often_until_it_lives():
    desk = Desk("a")
    desk.send(("a",), -100.0)
    desk.all_in("resync")
    again, _ = desk.asked_during(300)
    assert again == [0, 5, 15, 35, 75, 135, 195, 255]
    desk.all_in("live")
    desk.asks.due(500.0)
    desk.all_in("stale")
    assert desk.asks.due(500.0).again == ["a"]


def test_fault_10_a_stream_that_promises_nothing_is_asked_ever_less_often():
    desk = Desk("quiet")
    desk.send(("quiet",), -100.0)
    desk.all_in("stale")
    again, _ = desk.asked_during(3_600)
    assert again == [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]


def test_a_refused_topic_is_asked_alone_and_seldom():
    desk = Desk("a", "b")
    desk.send(("a", "b"))
    desk.views["a"].state = "down"
    desk.views["b"].state = "live"
    assert desk.asks.due(5.0) == Due([], [], ["a"], [])
    again, _ = desk.asked_during(3_600)
    assert len(again) < 15


def test_a_seeded_book_is_fetched_after_its_first_update_with_ever_more_patience():
    desk = Desk("diff")
    desk.send(("diff",), 0.0, said_ns=7)
    desk.views["diff"].state = "acked"
    assert desk.asks.due(0.9) == NOTHING  # a book that is older than its first update is no use
    desk.views["diff"].heard_ns = 8
    assert desk.asks.due(0.9).seeds == ["diff"]
    again, seeds = desk.asked_during(200, begin=1)
    assert seeds == [3, 7, 15, 31, 63, 123, 183]
    assert again == [15, 183]  # every fourth time the stream itself may be the trouble


def test_a_seeded_book_of_a_quiet_market_is_fetched_soon_after_the_yes():
    desk = Desk("diff")
    desk.send(("diff",), 0.0, said_ns=7)
    desk.views["diff"].state = "acked"
    assert desk.asks.due(1.0).seeds == ["diff"]


def test_a_gap_in_a_seeded_book_is_mended_at_once_but_not_all_the_time():
    desk = Desk("diff")
    desk.send(("diff",), 0.0, said_ns=7)
    desk.views["diff"].heard_ns = 8
    fetched = []
    for tenth in range(1_200):  # each fetch is followed by a moment of life, then a gap again
        now_s = tenth / 10
        desk.views["diff"].state = "live" if fetched and now_s - fetched[-1] < 0.2 else "resync"
        if desk.asks.due(now_s).seeds:
            fetched.append(now_s)
    assert fetched[0] == 0.0
    assert len(fetched) < 10
    desk.views["diff"].state = "live"
    desk.asks.due(200.0)
    desk.views["diff"].state = "resync"
    assert desk.asks.due(200.1).seeds == ["diff"]


def test_a_book_that_brings_no_snapshot_of_its_own_is_fetched_in_the_end():
    desk = Desk("a")
    desk.send(("a",), -100.0)
    desk.views["a"] = View("resync", heard_ns=5)
    again, seeds = desk.asked_during(60)
    assert again[:4] == [0, 5, 15, 35]
    assert seeds == again[SEED_AFTER : SEED_AFTER + 1]


def test_a_new_connection_was_asked_nothing():
    desk = Desk("a", "b")
    desk.send(("a", "b"))
    desk.all_in("down")
    desk.asks.restart()
    assert desk.asks.due(1e6) == NOTHING
    assert desk.asks.fresh(0.0) == ["a", "b"]


def test_a_socket_that_took_over_has_what_it_asked_for():
    desk = Desk("a", "b")
    desk.send(("a", "b"))
    desk.asks.want(("a", "b", "c", "d"), 1.0)
    desk.asks.queued(["d"])  # waits on the old socket: the market has never heard of it
    desk.asks.want(("b", "c", "d"), 1.0)
    assert desk.asks.gone(2.0) == (["a"], [])
    assert desk.asks.moved(("a", "b", "d"), 2.0) == ("a",)
    assert desk.asks.fresh(2.0) == ["c", "d"]
    desk.views["b"].state = "stale"
    assert desk.asks.due(7.0).again == ["b"]
