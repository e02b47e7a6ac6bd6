"""The command line. Each command imports what it needs when it runs, so that `say` is quick."""

import argparse
import contextlib
import getpass
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from bot.settings import SettingsError, data_folder, read_settings


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    with contextlib.redirect_stdout(cast(TextIO, Output(sys.stdout))):
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()


class Output:
    """Standard output of every command: when whoever read along has left, as `head` does, the process ends there, as
    every program does then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _ending():
            return self._stream.write(text)

    def flush(self) -> None:
        with _ending():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
        raise


def _run(words: list[str]) -> int:
    if words[:1] == ["complete"]:  # what the scripts of `completion` ask; nobody types it, so no help tells of it
        from bot.completion import complete

        print("\n".join(complete(_parser(), words[1:])))
        return 0
    arguments = _parser().parse_args(words)
    if arguments.command in ALONE:
        return ALONE[arguments.command](arguments)
    try:
        settings = read_settings(config=arguments.config, data=arguments.data)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.command == "supervise":
        from bot.supervise import supervise

        return supervise(settings, ["run", *_given(arguments)])
    if arguments.command == "migrate":
        from bot.migrate import migrate

        return migrate(settings)
    from bot.roles import BOTH, Role
    from bot.run import run

    return run(settings, BOTH if arguments.command == "run" else frozenset({Role(arguments.command)}))


def _say(arguments: argparse.Namespace) -> int:
    from bot.say import Saying, say

    data = data_folder(arguments.data)
    return say(Saying(text=" ".join(arguments.text), as_name=arguments.as_name, wait=arguments.wait, data=data))


def _demo(arguments: argparse.Namespace) -> int:
    from bot.demo.command import DemoSettings, demo

    data = Path(arguments.data or ".demo")
    return demo(DemoSettings(data=data, port=arguments.port, headless=arguments.headless, reset=arguments.reset))


def _given(arguments: argparse.Namespace) -> list[str]:
    """The flags that every command has, as they were given."""
    flags = {"--config": arguments.config, "--data": arguments.data}
    return [word for flag, value in flags.items() if value for word in (flag, value)]


def _check(arguments: argparse.Namespace) -> int:
    from bot.check import Checking, check

    config = arguments.config or os.environ.get("SHIPMATE_CONFIG")
    return check(Checking(path=Path(arguments.path), config=config, service=arguments.service))


def _init(arguments: argparse.Namespace) -> int:
    from bot.init import init

    return init(Path(arguments.path))


def _doctor(arguments: argparse.Namespace) -> int:
    from bot.doctor.command import doctor

    return doctor(config=arguments.config, data=arguments.data)


def _completion(arguments: argparse.Namespace) -> int:
    from bot.completion import SCRIPTS

    print(SCRIPTS[arguments.shell], end="")
    return 0


ALONE = {
    "completion": _completion,
    "check": _check,
    "init": _init,
    "demo": _demo,
    "doctor": _doctor,
    "say": _say,
}  # commands that do not ask for a bot that is set up: in a service's own repository, and where one is not set up well


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", metavar="FILE", help="services and environments (default: config/shipmate.yml)")
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument("--data", metavar="DIR", help="where the bot keeps its state (default: .shipmate)")
    parser = argparse.ArgumentParser(prog="shipmate", description="Deploys from Slack, and back.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", parents=[shared, folder], help="the whole bot in one process")
    commands.add_parser("web", parents=[shared, folder], help="the doors alone, beside a worker (needs PostgreSQL)")
    commands.add_parser("worker", parents=[shared, folder], help="what carries deploys out, beside a web (likewise)")
    commands.add_parser("migrate", parents=[shared, folder], help="bring the database up to date")
    commands.add_parser(
        "supervise", parents=[shared, folder], help="`run` for ever: begun again whenever it ends (a container's)"
    )
    commands.add_parser(
        "doctor", parents=[shared, folder], help="what is wrong, and what to do about it; changes nothing"
    )
    completion = commands.add_parser("completion", help="what makes your shell complete these commands")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    say = commands.add_parser("say", parents=[shared, folder], help="what you would type in Slack")
    say.add_argument("text", nargs="+", help='such as "deploy api v1.4 staging"')
    say.add_argument("--as", dest="as_name", default=_me(), metavar="NAME", help="who says it (default: you)")
    say.add_argument("--wait", action="store_true", help="stay until the deploy is over")
    demo = commands.add_parser("demo", help="the main job on a sample service, in the browser")
    demo.add_argument("--data", metavar="DIR", help="where the demo keeps its state (default: .demo)")
    demo.add_argument("--headless", action="store_true", help="for tests: one JSON line on stdout when ready")
    demo.add_argument("--port", type=int, default=8787, help="of the page (default: 8787; 0: any free one)")
    demo.add_argument("--reset", action="store_true", help="begin anew")
    check = commands.add_parser("check", help="compile a deploy.yml for every environment and print the plans")
    check.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="a deploy.yml or its folder (default: here)"
    )
    check.add_argument(
        "--config", metavar="FILE", help="the bot's configuration (default: config/shipmate.yml, if any)"
    )
    check.add_argument("--service", metavar="NAME", help="as which service (default: the one that lives there)")
    init = commands.add_parser("init", help="write a first deploy.yml and its scripts into a repository")
    init.add_argument("path", nargs="?", default=".", metavar="PATH", help="the service's folder (default: here)")
    return parser


def _me() -> str:
    """Who runs this; in a container a user may have a number and no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"


if __name__ == "__main__":
    sys.exit(main())
