"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import (
    config,
    databases,
    deliveries,
    disks,
    flaps,
    floods,
    hosts,
    kills,
    points,
    restarts,
    scripts,
    simulated,
    slack_away,
    slack_errors,
)
from tests.torture.rows import Fault

FAMILIES = (
    *(kills, points, hosts, restarts, config, scripts, floods, databases, disks),
    *(slack_away, slack_errors, deliveries, flaps, simulated),
)
FAULTS: Mapping[str, Fault] = {fault.name: fault for family in FAMILIES for fault in family.FAULTS}
