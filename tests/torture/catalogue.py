"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import scripts, simulated
from tests.torture.rows import Fault

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in (*scripts.FAULTS, *simulated.FAULTS)}
