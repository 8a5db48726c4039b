"""Alert rules: what is watched, and when it is told."""

import msgspec


class AlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. The alerts helper completes it."""

    id: str
