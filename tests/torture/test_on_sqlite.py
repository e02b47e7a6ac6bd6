"""The catalogue of faults on SQLite, and what needs no database."""

import pytest

from tests.torture.rows import NEITHER, SQLITE, Fault
from tests.torture.tiers import cases, survived
from tests.torture.trying import Servers


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("fault", "on", "tries"), list(cases(SQLITE, NEITHER)))
def test_the_fault_is_survived(fault: Fault, on: str, tries: int, at_hand: Servers) -> None:
    survived(fault, on, tries, at_hand)
