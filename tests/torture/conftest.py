"""The servers that faults are tried on, for the tests of one file."""

from collections.abc import Iterator

import pytest

from tests.torture.trying import Servers, servers


@pytest.fixture(scope="module")
def at_hand() -> Iterator[Servers]:
    with servers() as found:
        yield found
