"""The simulated bot under all that can break, and under what people do twice and late."""

from functools import partial

from tests.simulation.crowd import crowd
from tests.torture.rows import NEITHER, Fault, Place, Verdict

FIRST = 1_000_000  # the tests of every change have the seeds from 1 on


def simulated(place: Place, tries: int, *, mix: str) -> Verdict:
    """Other seeds at each run; every invariant is looked at after each transaction."""
    ran = crowd(FIRST + place.seed, tries, mix=mix)
    return Verdict(tries=ran.seeds, others={"broken seeds": ran.broken}, wrong=[ran.told] if ran.broken else [])


FAULTS = (
    Fault(
        name="simulation",
        what="simulated bot: all faults, invariants after every transaction",
        run=partial(simulated, mix="all"),
        tries=10_000,
        on=(NEITHER,),
    ),
    Fault(
        name="sequences",
        what="simulated bot: commands, clicks, duplicates and delays; every message ends as the journal",
        run=partial(simulated, mix="clicks"),
        tries=10_000,
        on=(NEITHER,),
    ),
)
