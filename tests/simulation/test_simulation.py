"""Seeds by the hundred: whatever people do and whatever breaks, all that must hold does, after every transaction and
once all has come to rest. The same seeds at each run; `make torture` draws others, and many more."""

import pytest

from tests.simulation.crowd import crowd
from tests.simulation.mutations import MUTATIONS

SEEDS = 500
SEQUENCES = 30
CLICKED = ("a button works twice",)  # found sooner where people click more than they type
QUICK = ("the end is not painted", "enqueued outside of the transaction")  # seed 1 finds both


@pytest.mark.long
def test_all_holds_whatever_breaks() -> None:
    ran = crowd(1, SEEDS)
    assert not ran.broken, ran.told
    assert ran.seeds == SEEDS


@pytest.mark.long
def test_after_any_sequence_of_clicks_duplicates_and_delays_every_message_is_the_journal_s_state() -> None:
    ran = crowd(1, SEQUENCES, mix="clicks")
    assert not ran.broken, ran.told
    assert ran.seeds == SEQUENCES


@pytest.mark.long
def test_a_seed_is_the_same_however_python_orders_its_sets() -> None:
    one = crowd(1, 6, digests=True, PYTHONHASHSEED="1")
    other = crowd(1, 6, digests=True, PYTHONHASHSEED="2")
    assert one.digests == other.digests
    assert len(one.digests) == 6


@pytest.mark.parametrize(
    "mutation", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in MUTATIONS]
)
def test_a_rule_broken_on_purpose_is_found(mutation: str) -> None:
    ran = crowd(1, SEEDS, mutation=mutation, mix="clicks" if mutation in CLICKED else "all")
    assert ran.broken, f"{ran.seeds} seeds did not find it"
