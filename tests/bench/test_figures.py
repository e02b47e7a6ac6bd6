"""The numbers of the bench are worth what its arithmetic is worth."""

import pytest

from tests.bench.figures import Row, median, percentile, quantity, table


def row(measured: float, *, baseline: float | None = 2.0) -> Row:
    return Row(what="a thing", baseline=baseline, measured=measured, limit=3.0, unit="ms", figure="≤ 3 ms")


@pytest.mark.parametrize(("share", "found"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, found: float) -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, share) == found


def test_of_few_values_the_high_percentile_is_the_worst() -> None:
    assert percentile([3.0, 9.0, 1.0], 0.99) == 9.0
    assert median([3.0, 9.0, 1.0]) == 3.0
    assert median([4.0, 1.0]) == 1.0


def test_nothing_measured_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_a_figure_is_met_at_its_limit_and_not_above() -> None:
    assert row(3.0).met
    assert not row(3.001).met


def test_the_ratio_is_to_the_baseline_where_there_is_one() -> None:
    assert row(3.0).ratio == 1.5
    assert row(3.0, baseline=None).ratio is None


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0.0421, "0.042 s"), (1.234, "1.23 s"), (45.67, "45.7 s"), (1234.5, "1234 s")]
)
def test_a_quantity_reads_well(value: float | None, shown: str) -> None:
    assert quantity(value, "s") == shown


def test_the_table_says_what_is_met_and_what_is_not() -> None:
    good, bad = table([row(2.5), row(5.0, baseline=None)]).splitlines()[2:]
    assert good.endswith("met") and "1.25×" in good and "2.00 ms" in good
    assert bad.endswith("NOT MET") and "–" in bad
