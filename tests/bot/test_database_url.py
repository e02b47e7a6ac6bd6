"""DATABASE_URL: every spelling of the two databases, refused kindly where it cannot be right, and never shown."""

import pytest

from bot.settings import SettingsError, read_settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:s3cret@db.example.test:5432/ship",
        "postgres://ana:s3cret@db.example.test/ship?sslmode=require",
        "postgresql+psycopg:///ship?host=/run/s3cret",
        "sqlite:////var/lib/shipmate/ship.db",
    ],
)
def test_it_is_taken_as_it_is_and_not_shown(url: str) -> None:
    settings = read_settings({"DATABASE_URL": url})
    assert settings.database == url
    assert "s3cret" not in repr(settings)


def test_without_one_it_is_a_file_in_the_data_folder() -> None:
    assert read_settings({}, data="/somewhere").database == "sqlite:////somewhere/shipmate.db"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://ana:s3cret@db/ship", "must begin with sqlite:/// or postgresql://"),
        ("postgresql+asyncpg://ana:s3cret@db/ship", "must begin with"),
        ("postgresql://ana:s3cret@db:five/ship", "cannot be read: its host or port is wrong"),
        ("postgresql://ana:s3cret@[db/ship", "cannot be read"),
        ("postgresql://ana:s3cret@db", "names no database"),
        ("postgresql://ana:s3cret@db/", "names no database"),
    ],
)
def test_one_that_cannot_be_right_is_refused_without_showing_it(url: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        read_settings({"DATABASE_URL": url})
    assert "s3cret" not in str(caught.value)
