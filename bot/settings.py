"""What a person sets: the standard variables, and the two flags that override them in every command."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bot.upkeep import Upkeep, read_upkeep
from bot.variables import SettingsError

__all__ = ["Settings", "SettingsError", "SlackSettings", "read_settings"]

CONFIG = "config/shipmate.yml"
DATA = ".shipmate"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
DATABASES = ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")
SLACK_API = "https://slack.com/api/"


@dataclass(frozen=True, kw_only=True)
class SlackSettings:
    """How to reach Slack: with an app token by Socket Mode, else by signed HTTP."""

    bot_token: str = field(repr=False)
    app_token: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    api_url: str = SLACK_API


@dataclass(frozen=True, kw_only=True)
class Settings:
    config: Path = Path(CONFIG)
    data: Path = Path(DATA)
    database_url: str = field(default="", repr=False)  # a password may stand in it
    host: str = "127.0.0.1"
    port: int = 3000
    ops_port: int | None = None
    log_format: str = ""
    log_level: str = "INFO"
    slack: SlackSettings | None = None
    upkeep: Upkeep = field(default_factory=Upkeep)

    """`ops_port`: where health and figures are served, None: on `port`. `log_format`: empty, json or text."""

    @property
    def database(self) -> str:
        """The database's URL: the one that was given, else a SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'shipmate.db'}"


def read_settings(
    env: Mapping[str, str] = os.environ, *, config: str | None = None, data: str | None = None
) -> Settings:
    """The settings in an environment; the flags win. Raises SettingsError."""
    url = env.get("DATABASE_URL", "")
    if url:
        _check_database(url)
    return Settings(
        config=Path(config or env.get("SHIPMATE_CONFIG") or CONFIG),
        data=data_folder(data, env),
        database_url=url,
        host=env.get("HOST") or "127.0.0.1",
        port=_port("PORT", env.get("PORT") or "3000"),
        ops_port=_port("OPS_PORT", env["OPS_PORT"]) if env.get("OPS_PORT") else None,
        log_format=_one_of("LOG_FORMAT", env.get("LOG_FORMAT") or "", ("", "json", "text")),
        log_level=_one_of("LOG_LEVEL", (env.get("LOG_LEVEL") or "INFO").upper(), LEVELS),
        slack=_slack(env),
        upkeep=read_upkeep(env),
    )


def data_folder(data: str | None, env: Mapping[str, str] = os.environ) -> Path:
    """Where the bot keeps its state; all that a client of a running bot needs."""
    return Path(data or env.get("SHIPMATE_DATA") or DATA)


def _check_database(url: str) -> None:
    """Says what is wrong with a URL without showing it: a password may stand in it."""
    if not url.startswith(DATABASES):
        raise SettingsError("DATABASE_URL must begin with sqlite:/// or postgresql://; leave it out for SQLite.")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SettingsError(
            "DATABASE_URL cannot be read: its host or port is wrong. It is like "
            "postgresql://user:password@host:5432/name; special characters in the password are written as %40."
        ) from None
    if not url.startswith("sqlite") and not parts.path.strip("/"):
        raise SettingsError("DATABASE_URL names no database: it ends in a name, as in postgresql://user@host/shipmate.")


def _port(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise SettingsError(f"{name} is {text!r}; it must be a number from 0 to 65535, such as 3000.")
    return int(text)


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise SettingsError(f"{name} is {text!r}; it must be one of {', '.join(filter(None, known))}.")
    return text


def _slack(env: Mapping[str, str]) -> SlackSettings | None:
    bot = env.get("SLACK_BOT_TOKEN")
    app, secret = env.get("SLACK_APP_TOKEN"), env.get("SLACK_SIGNING_SECRET")
    if not bot:
        if app or secret:
            raise SettingsError("SLACK_BOT_TOKEN is missing: set it beside SLACK_APP_TOKEN or SLACK_SIGNING_SECRET.")
        return None
    if not app and not secret:
        raise SettingsError(
            "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP, beside SLACK_BOT_TOKEN."
        )
    url = _slack_api(env.get("SLACK_API_URL") or SLACK_API)
    return SlackSettings(bot_token=bot, app_token=app or None, signing_secret=secret or None, api_url=url)


def _slack_api(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or a host that cannot be
        fits = False
    if not fits:
        raise SettingsError(f"SLACK_API_URL is {url!r}; it must be a web address, such as {SLACK_API}; leave it out.")
    return url.rstrip("/") + "/"
