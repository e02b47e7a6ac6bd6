"""What a host's owner sets, read: sizes, days, numbers, and what is said of what cannot be used."""

from datetime import timedelta

import pytest

from bot.settings import SettingsError, read_settings
from bot.upkeep import Upkeep


def test_without_variables_everything_is_as_documented() -> None:
    assert read_settings({}).upkeep == Upkeep()
    assert Upkeep().keep_free == 100 * 1024 * 1024


def test_what_is_set_is_read() -> None:
    found = read_settings(
        {
            "SHIPMATE_LIMIT_MEMORY": "512M",
            "SHIPMATE_LIMIT_PROCESSES": "200",
            "SHIPMATE_LIMIT_FILES": "1024",
            "SHIPMATE_NO_NEW_PRIVS": "yes",
            "SHIPMATE_KEEP_FREE": "0",
            "SHIPMATE_KEEP_LOGS": "30",
            "SHIPMATE_KEEP_RUNS": "0.5",
            "SHIPMATE_KEEP_TREES": "7",
        }
    ).upkeep
    assert found == Upkeep(
        limit_memory=512 << 20,
        limit_processes=200,
        limit_files=1024,
        no_new_privs=True,
        keep_free=0,
        keep_logs=timedelta(days=30),
        keep_runs=timedelta(hours=12),
        keep_trees=timedelta(days=7),
    )


@pytest.mark.parametrize(("text", "size"), [("64k", None), ("2g", 2 << 30), ("33554432", 32 << 20), ("1GiB", 1 << 30)])
def test_sizes(text: str, size: int | None) -> None:
    env = {"SHIPMATE_LIMIT_MEMORY": text}
    if size is None:
        with pytest.raises(SettingsError, match="less than 16M"):
            read_settings(env)
    else:
        assert read_settings(env).upkeep.limit_memory == size


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("SHIPMATE_LIMIT_MEMORY", "lots", "must be a size such as 512M"),
        ("SHIPMATE_LIMIT_FILES", "3", "less than 16"),
        ("SHIPMATE_LIMIT_PROCESSES", "0", "must be a whole number"),
        ("SHIPMATE_KEEP_LOGS", "-1", "must be a number of days"),
        ("SHIPMATE_KEEP_RUNS", "99999999", "must be a number of days"),
        ("SHIPMATE_NO_NEW_PRIVS", "maybe", "must be 1 or 0"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        read_settings({name: text})
    assert name in str(refused.value)
