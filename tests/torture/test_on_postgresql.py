"""The catalogue of faults on PostgreSQL."""

import pytest

from tests.torture.rows import POSTGRES, Fault
from tests.torture.tiers import cases, survived
from tests.torture.trying import Servers


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("fault", "on", "tries"), list(cases(POSTGRES)))
def test_the_fault_is_survived(fault: Fault, on: str, tries: int, at_hand: Servers) -> None:
    survived(fault, on, tries, at_hand)
