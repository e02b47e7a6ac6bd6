"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import disks, floods, kills, scripts, simulated
from tests.torture.rows import Fault

FAMILIES = (simulated, kills, scripts, disks, floods)
FAULTS: Mapping[str, Fault] = {fault.name: fault for family in FAMILIES for fault in family.FAULTS}
