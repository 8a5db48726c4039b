"""Commands: what a person asked for. Amounts are Decimal, written as text in files."""

from decimal import Decimal

import msgspec


class ExitPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """When to leave, set before entry. None switches a rule off.

    target_bp, stop_bp: on the executable close basis, for a long spot / short perp pair at or
    below the target, at or above the stop; mirrored for the reverse pair.
    max_hold_h: hours after the entry fill.
    """

    target_bp: Decimal | None = None
    stop_bp: Decimal | None = None
    max_hold_h: Decimal | None = None


class OpenPair(msgspec.Struct, frozen=True, tag_field="do", tag="open_pair", omit_defaults=True):
    """Buy the long leg, sell the short leg, at market. `qty` in base of the long leg."""

    long: str
    short: str
    qty: Decimal
    leverage: Decimal = Decimal(1)
    exit: ExitPlan = ExitPlan()
    t_ns: int = 0


class ClosePair(msgspec.Struct, frozen=True, tag_field="do", tag="close_pair", omit_defaults=True):
    """Close this fraction of what is left of a pair, at market."""

    pair: int
    fraction: Decimal = Decimal(1)
    t_ns: int = 0


class AddMargin(msgspec.Struct, frozen=True, tag_field="do", tag="add_margin", omit_defaults=True):
    """Move cash into the isolated margin of a pair's perpetual."""

    pair: int
    amount: Decimal
    t_ns: int = 0


class Halt(msgspec.Struct, frozen=True, tag_field="do", tag="halt", omit_defaults=True):
    """No new entries until resumed. Closing stays possible."""

    reason: str = "by hand"
    t_ns: int = 0


class Resume(msgspec.Struct, frozen=True, tag_field="do", tag="resume", omit_defaults=True):
    """Allow entries again."""

    reason: str = ""
    t_ns: int = 0


class Flatten(msgspec.Struct, frozen=True, tag_field="do", tag="flatten", omit_defaults=True):
    """Close every open pair at market."""

    t_ns: int = 0


class SetPlan(msgspec.Struct, frozen=True, tag_field="do", tag="set_plan", omit_defaults=True):
    """Replace the exit plan of an open pair (a dragged line, an edited field)."""

    pair: int
    exit: ExitPlan
    t_ns: int = 0


class SetValue(msgspec.Struct, frozen=True, tag_field="do", tag="set", omit_defaults=True):
    """Change one setting of the running engine, e.g. key "ticket.qty", value "10000"."""

    key: str
    value: str
    t_ns: int = 0


Command = OpenPair | ClosePair | AddMargin | Halt | Resume | Flatten | SetPlan | SetValue
