"""What tests of execution share: orders by style and policy, time by beats, a desk born again."""

from trading_rig import PERP, PLAN, SPOT, D, Rig, S, settings

from basisdesk.events import Execution, OpenPair
from basisdesk.trading.desk import Desk
from basisdesk.trading.sentences import describe

BEAT = S // 10


def asked(qty="10000", plan=PLAN, long=SPOT, short=PERP, leverage="2", **how):
    """An entry executed this way."""
    return OpenPair(long, short, D(qty), D(leverage), plan, how=Execution(**how))


class ExecRig(Rig):
    """80 ms to every venue unless told otherwise."""

    def __init__(self, conf=None, **changes):
        super().__init__(conf or settings(latency_ms=80), **changes)

    def beats(self, seconds):
        """Beat by beat; every outcome of that time, each with its sentence read once."""
        made = []
        for _ in range(round(seconds * 10)):
            made += self.later(BEAT)
        assert all(describe(each).endswith((".", "%")) for each in made)
        return made

    def reborn(self):
        """The program died: only what was journaled is known to the desk from now on."""
        self.desk = Desk(self.settings)
        for outcome in self.log:
            self.desk.apply(outcome)

    def print(self, key, price, size, taker="sell"):
        """A public trade now."""
        self.market.leg(key).prints.append((self.now, price, size, taker))

    def pair(self, number=1):
        """The position."""
        return self.desk.pairs[number]

    def held(self, number=1):
        """(long, short) quantities of a pair."""
        position = self.desk.pairs[number]
        return position.long.qty, position.short.qty


def kinds(outcomes):
    """The names of the outcomes, in order."""
    return [type(each).__name__ for each in outcomes]


def only(outcomes, kind):
    """The one outcome of this kind."""
    (found,) = [each for each in outcomes if isinstance(each, kind)]
    return found
