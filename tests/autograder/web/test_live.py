"""Showings: one at a time, in line, ended by who leaves. The process here is a tiny one that counts."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.web.live import Studio, streamed
from tests.programs import PATIENCE

COUNTER = '''
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "go" in asked:
        continue
    if asked.get("die"):
        sys.exit(asked["die"])
    kind = "done"
    for number in range(int(asked["up"])):
        print(json.dumps({"id": asked["id"], "kind": "frame", "number": number, "process": os.getpid()}), flush=True)
        if not json.loads(sys.stdin.readline())["go"]:
            kind = "stopped"
            break
    print(json.dumps({"id": asked["id"], "kind": kind}), flush=True)
'''


@pytest.fixture
def studio(tmp_path):
    (tmp_path / "counter.py").write_text(COUNTER)
    return Studio(tmp_path, "counter")


def play(work):
    """Run in a thread of its own: where a browser is driven, this one has a loop already."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, asyncio.wait_for(work, PATIENCE)).result()


async def all_of(studio, **asked):
    return [event async for event in studio.show(asked)]


def numbers(events):
    return [data["number"] for kind, data in events if kind == "frame"]


def test_frames_come_in_order_and_the_process_is_kept(studio):
    async def work():
        first, second = await all_of(studio, up="3"), await all_of(studio, up="2")
        await studio.close()
        return first, second

    first, second = play(work())
    assert numbers(first) == [0, 1, 2]
    assert first[-1] == ("done", {})
    assert numbers(second) == [0, 1]
    assert first[0][1]["process"] == second[0][1]["process"]


def test_who_leaves_ends_the_showing_and_the_next_one_sees_only_its_own(studio):
    async def work():
        async with contextlib.aclosing(studio.show({"up": "1000000"})) as frames:
            seen = [await anext(frames) for _ in range(3)]
        after = await all_of(studio, up="2")
        await studio.close()
        return seen, after

    seen, after = play(work())
    assert numbers(seen) == [0, 1, 2]
    assert numbers(after) == [0, 1]
    assert after[-1] == ("done", {})


def test_the_rest_wait_in_line_and_are_told_their_places(studio):
    async def work():
        first, second, third = (studio.show({"up": "2"}) for _ in range(3))
        told = [await anext(first), await anext(second), await anext(third)]
        await first.aclose()
        told += [await anext(third), await anext(second)]
        await second.aclose()
        told.append(await anext(third))
        await third.aclose()
        await studio.close()
        return [(kind, data.get("before", data.get("number"))) for kind, data in told]

    assert play(work()) == [("frame", 0), ("waiting", 1), ("waiting", 2), ("waiting", 1), ("frame", 0), ("frame", 0)]


def test_who_leaves_the_line_lets_the_next_one_up(studio):
    async def work():
        first, second, third = (studio.show({"up": "2"}) for _ in range(3))
        await anext(first)
        await anext(second)
        await anext(third)
        await second.aclose()
        told = await anext(third)
        await first.aclose()
        await third.aclose()
        await studio.close()
        return told

    assert play(work()) == ("waiting", {"before": 1})


def test_a_process_that_dies_is_said_so_with_its_last_words_and_started_again(studio):
    async def work():
        died, after = await all_of(studio, die="No module named 'wings'"), await all_of(studio, up="1")
        await studio.close()
        return died, after

    died, after = play(work())
    assert died == [("refused", {"words": "the drawing process ended (No module named 'wings'): try again"})]
    assert numbers(after) == [0]


def test_an_answer_of_events_ends_when_the_browser_leaves():
    closed = []

    async def endless():
        try:
            while True:
                yield "tick", {"text": "a\nb"}
                await asyncio.sleep(3600)
        finally:
            closed.append(True)

    async def work():
        sent = []
        left = asyncio.Event()

        async def send(message):
            sent.append(message)
            if len(sent) == 2:
                left.set()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        answer = await streamed(lambda request: endless())(None)
        await answer({"type": "http"}, receive, send)
        return sent

    sent = play(work())
    assert sent[1]["body"] == b'event: tick\ndata: {"text":"a\\nb"}\n\n'
    assert closed == [True]
