"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import config, databases, disks, floods, hosts, kills, points, restarts, scripts, simulated
from tests.torture.rows import Fault

FAMILIES = (simulated, kills, points, hosts, restarts, config, scripts, disks, databases, floods)
FAULTS: Mapping[str, Fault] = {fault.name: fault for family in FAMILIES for fault in family.FAULTS}
