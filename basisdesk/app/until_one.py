"""Waiting for the first of several things, and for none of them after it."""

import asyncio
from typing import Any


async def until_one(waits: "set[asyncio.Task[Any]]") -> None:
    """Return when one of them ends; the others are cancelled. Raises what that one raised."""
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
