"""What can never be asked is known when the file is read; names that are replaced later stand for what fits."""

import pytest

from pipelines.catalog.addresses import address_problem


@pytest.mark.parametrize(
    "text",
    [
        "http://$TARGET/healthz",
        "http://$TARGET:8080/version",
        "https://api.test/a b?c={d}#e",
        "http://[::1]:80/",
        "http://h:$PORT/",
        "$TARGET",
        "db:5432",
        "${TARGET}:5432",
    ],
)
def test_what_can_be_asked(text: str) -> None:
    assert address_problem(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://x\r\nHost: evil", "it goes over several lines, or holds a tab"),
        ("http://[::1", "it is no URL"),
        ("http://x:99999/", "a port is a number up to 65535"),
        ("http://x y/", "it names no host"),
        ("http:///path", "it names no host"),
        ("h:99999", "a port is a number up to 65535"),
        ("h:0", "a port is a number from 1 on"),
        ("h:five", "it is no URL"),
    ],
)
def test_what_cannot(text: str, why: str) -> None:
    assert address_problem(text) == why
