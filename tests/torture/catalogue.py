"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import kills, simulated
from tests.torture.rows import Fault

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in (*simulated.FAULTS, *kills.FAULTS)}
