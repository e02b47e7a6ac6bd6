"""All faults that are injected, by name."""

from collections.abc import Mapping

from tests.torture import deliveries, flaps, simulated, slack_away, slack_errors
from tests.torture.rows import Fault

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        *simulated.FAULTS,
        *slack_away.FAULTS,
        *slack_errors.FAULTS,
        *deliveries.FAULTS,
        *flaps.FAULTS,
    )
}
