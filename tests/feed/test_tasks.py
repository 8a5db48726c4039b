import asyncio
import logging

from feed_rig import play

from basisdesk.clock import mono_s
from basisdesk.feed.tasks import Pause, alive, spawn


def test_a_kept_task_that_dies_is_told():
    async def scenario():
        told = []

        async def burst():
            raise ZeroDivisionError("x")

        task = spawn(burst(), "burst", lambda name, exc: told.append((name, repr(exc))))
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert told == [("burst", "ZeroDivisionError('x')")]
        assert task not in alive()

    play(scenario)


def test_without_a_listener_it_is_logged(caplog):
    async def scenario():
        async def burst():
            raise ZeroDivisionError

        await asyncio.wait([spawn(burst(), "burst")])
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        play(scenario)
    assert "task burst died" in caplog.text


def test_a_cancel_is_not_a_death():
    async def scenario():
        told = []
        task = spawn(asyncio.sleep(99), "sleep", lambda *dead: told.append(dead))
        assert task in alive()
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert told == []

    play(scenario)


def test_a_pause_ends_at_the_tick_or_when_cut():
    async def scenario():
        pause = Pause()
        pause.tick(1e9)  # nobody sleeps
        pause.cut()
        task = asyncio.create_task(pause.sleep(10))
        await asyncio.sleep(0)
        pause.tick(mono_s() + 9)
        await asyncio.sleep(0)
        assert not task.done()
        pause.tick(mono_s() + 10)
        await task
        task = asyncio.create_task(pause.sleep(float("inf")))
        await asyncio.sleep(0)
        pause.cut()
        await task

    play(scenario)
