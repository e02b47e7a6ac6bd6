"""The command line. Each command imports what it needs when it runs, so that `say` is quick."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from bot.settings import SettingsError, read_settings


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.command in REPOSITORY:
        return REPOSITORY[arguments.command](arguments)
    try:
        settings = read_settings(config=arguments.config, data=arguments.data)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    match arguments.command:
        case "say":
            from bot.say import Saying, say

            saying = Saying(
                text=" ".join(arguments.text), as_name=arguments.as_name, wait=arguments.wait, data=settings.data
            )
            return say(saying)
        case "demo":
            from bot.demo.command import DemoSettings, demo

            data = Path(arguments.data) if arguments.data else Path(".demo")
            wishes = DemoSettings(data=data, port=arguments.port, headless=arguments.headless, reset=arguments.reset)
            return demo(wishes)
        case "supervise":
            from bot.supervise import supervise

            return supervise(settings, ["run", *_given(arguments)])
        case _:
            from bot.run import run

            return run(settings)


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


REPOSITORY = {
    "check": _check,
    "init": _init,
}  # commands for a service's own repository: there no bot is set up, so none is asked for


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", metavar="FILE", help="services and environments (default: config/shipmate.yml)")
    shared.add_argument("--data", metavar="DIR", help="where the bot keeps its state (default: .shipmate)")
    parser = argparse.ArgumentParser(prog="shipmate", description="Deploys from Slack, and back.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", parents=[shared], help="the whole bot in one process")
    commands.add_parser(
        "supervise", parents=[shared], help="`run` for ever: begun again whenever it ends (a container's)"
    )
    say = commands.add_parser("say", parents=[shared], help="what you would type in Slack")
    say.add_argument("text", nargs="+", help='such as "deploy api v1.4 staging"')
    say.add_argument("--as", dest="as_name", default=_me(), metavar="NAME", help="who says it (default: you)")
    say.add_argument("--wait", action="store_true", help="stay until the deploy is over")
    demo = commands.add_parser("demo", parents=[shared], help="the main job on a sample service, in the browser")
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
