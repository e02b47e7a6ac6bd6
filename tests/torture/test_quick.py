"""The catalogue of faults, each as often as every change can bear."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.torture.catalogue import FAULTS
from tests.torture.rows import Fault, times, told
from tests.torture.trying import Servers, servers, tried


def rows() -> Iterator[Any]:
    for fault in FAULTS.values():
        for on in fault.on:
            if quick := times(fault.quick, on):
                yield pytest.param(fault, on, quick, id=f"{fault.name}-{on}-quick")
            if long := times(fault.long, on):
                yield pytest.param(fault, on, long, id=f"{fault.name}-{on}", marks=pytest.mark.long)


@pytest.fixture(scope="module")
def at_hand() -> Iterator[Servers]:
    with servers() as found:
        yield found


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("fault", "on", "tries"), list(rows()))
def test_the_fault_is_survived(fault: Fault, on: str, tries: int, at_hand: Servers) -> None:
    row = tried(fault, on=on, tries=tries, seed=random.randrange(1 << 32), servers=at_hand)
    assert row.verdict.met, told(row)
