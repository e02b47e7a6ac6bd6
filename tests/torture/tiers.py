"""The catalogue of faults as tests, each as often as every change can bear. Each database has a file of tests, so that
the two are tried side by side."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.torture.catalogue import FAULTS
from tests.torture.rows import Fault, times, told
from tests.torture.trying import Servers, tried


def cases(*databases: str) -> Iterator[Any]:
    for fault in FAULTS.values():
        for on in [one for one in fault.on if one in databases]:
            if quick := times(fault.quick, on):
                yield pytest.param(fault, on, quick, id=f"{fault.name}-{on}-quick")
            if long := times(fault.long, on):
                yield pytest.param(fault, on, long, id=f"{fault.name}-{on}", marks=pytest.mark.long)


def survived(fault: Fault, on: str, tries: int, at_hand: Servers) -> None:
    row = tried(fault, on=on, tries=tries, seed=random.randrange(1 << 32), servers=at_hand)
    assert row.verdict.met, told(row)
