"""A plan of the scanner for the tiny venue, and what came of it."""

import json
from collections import Counter

import msgspec

from basisdesk.feed.pace import Pace
from basisdesk.feed.scan_feed import ScanPlan

PERPS = tuple(f"tiny:perp:C{n}" for n in range(6))
SPOTS = tuple(f"tiny:spot:C{n}" for n in range(6))
PAGES = ("/page?of=spot", "/page?of=perp")
SCAN = "tiny.scan"
# Quick, and no time-out of it can be missed by a busy machine.
QUICK = msgspec.structs.replace(
    Pace().scaled(0.01),
    open_s=5.0,
    rest_timeout_s=5.0,
    scan_timeout_s=5.0,
    settled_again_s=60.0,
    hole_s=120.0,
    silent_s=60.0,
    gap_s=60.0,
    answer_s=60.0,
    time_every_s=600.0,
    catalogue_every_s=3600.0,
)
PLAN = ScanPlan(venues=("tiny",), poll_s=0.25)


def answers(r, conn=SCAN):
    return [json.loads(payload) for payload in r.payloads(conn)]


def paths(r, conn=SCAN):
    return Counter(answer["path"] for answer in answers(r, conn))


def asked(r, start):
    return [target for target in r.exchange.requests if target.startswith(start)]


def whole(plan, **more):
    return msgspec.structs.replace(plan, **more)
