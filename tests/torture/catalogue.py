"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import config, hosts, kills, points, restarts, simulated
from tests.torture.rows import Fault

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (*simulated.FAULTS, *kills.FAULTS, *points.FAULTS, *hosts.FAULTS, *restarts.FAULTS, *config.FAULTS)
}
