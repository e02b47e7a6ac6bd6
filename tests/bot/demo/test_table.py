"""Weight tables: read strictly, shared out exactly."""

import asyncio
from collections import Counter
from contextlib import ExitStack

import pytest

from bot.demo.table import BadTableError, Balancer, parse, write_out

TARGETS = ["a:1", "b:2"]


def test_a_table_is_read_and_written() -> None:
    table = parse("b:2 3\n\na:1 0\n", TARGETS)
    assert table == {"b:2": 3, "a:1": 0}
    assert parse(write_out(table), TARGETS) == table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:1 1\n", "not in it: b:2"),
        ("", "not in it: a:1, b:2"),
        ("a:1 1\nb:2 1\nc:3 1\n", "no target of this router: c:3"),
        ("a:1 1\na:1 2\nb:2 1\n", "line 2: a:1 stands in the table twice"),
        ("a:1 -1\nb:2 1\n", "line 1: expected `target weight`"),
        ("a:1 1.5\nb:2 1\n", "line 1: expected"),
        ("a:1\nb:2 1\n", "line 1: expected"),
        ("a:1 ²\nb:2 1\n", "line 1: expected"),
    ],
)
def test_what_is_no_whole_table_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadTableError, match=said):
        parse(text, TARGETS)


async def test_shares_are_exact_and_smooth() -> None:
    balancer = Balancer({"a:1": 3, "b:2": 1, "c:3": 0})
    chosen = []
    for _ in range(40):
        with balancer.turn() as target:
            chosen.append(target)
    assert Counter(chosen) == {"a:1": 30, "b:2": 10}
    assert all(Counter(chosen[at : at + 4]) == {"a:1": 3, "b:2": 1} for at in range(0, 40, 4))


async def test_all_weights_0_is_nobodys_turn() -> None:
    with Balancer({"a:1": 0, "b:2": 0}).turn() as target:
        assert target is None


async def test_drained_waits_for_what_is_in_flight_to_drained_targets_alone() -> None:
    balancer = Balancer({"a:1": 1, "b:2": 0})
    with ExitStack() as flying:
        assert flying.enter_context(balancer.turn()) == "a:1"
        balancer.set({"a:1": 0, "b:2": 1})
        waiting = asyncio.create_task(balancer.drained())
        with balancer.turn() as other:  # lands before, and is not what is waited for
            assert other == "b:2"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        assert balancer.busy() == {"a:1": 1}
    await asyncio.wait_for(waiting, 5)


async def test_a_target_back_in_traffic_is_not_waited_for() -> None:
    balancer = Balancer({"a:1": 1, "b:2": 0})
    with balancer.turn():
        balancer.set({"a:1": 0, "b:2": 1})
        balancer.set({"a:1": 1, "b:2": 1})
        await asyncio.wait_for(balancer.drained(), 5)
