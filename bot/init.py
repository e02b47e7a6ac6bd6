"""`init`: a first deploy.yml and its scripts for a repository, after three questions. It overwrites nothing.

What it writes can be checked and deployed as it is; a script in which something is to be filled in says so and exits 1,
so it never ends well having done nothing. Exit status: 0 written, 1 not, 130 interrupted.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bot import worktree
from pipelines.catalog import RecipeErrors, parse_recipe
from pipelines.catalog.names import NAME_LIMIT, service_problem
from pipelines.catalog.recipes import EXECUTABLE

SCRIPTS = Path(__file__).resolve().parents[1] / "config" / "init"
INSTALL, STATUS = "deploy/install.sh", "deploy/status.sh"
WAYS = {"1": "here", "2": "ssh", "3": "own"}
LEFT = {
    "here": f"START in {INSTALL}: what starts the service",
    "ssh": f"RESTART in {INSTALL}: what restarts the service on its host",
    "own": f"{INSTALL}: how a version gets onto a target",
}
HOW = """How does a version get onto a target?
  1  it runs on this machine, to try Shipmate out
  2  it is copied to a host with ssh, and restarted there
  3  another way: I write the script
"""
HEALTH = "Which URL says that the service is well? `-`: none\n"
VERSION = "Which URL says what version runs? `script`: a script asks; `-`: nobody can tell\n"
TRIES = 3
SERVICE = "-service"  # makes a name of a word of the commands
PLAIN = re.compile(r"https?://[\w$./?&=%~+:-]*[\w/]", re.ASCII)


class InitError(Exception):
    """Why nothing was written, as a sentence with the way on."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """`way` is one of `WAYS`; `health` and `version` are URLs, or None; `script`: a script asks for the version."""

    way: str
    health: str | None
    version: str | None
    script: bool


def _typed(prompt: str) -> str:
    said = input(prompt)
    if not sys.stdin.isatty():
        print(said)  # what came through a pipe is shown where it would have been typed
    return said


def init(path: Path, ask: Callable[[str], str] = _typed) -> int:
    """Ask, write, and say what is next; the exit status."""
    try:
        root = _root(path)
        _nothing_in_the_way(path, ("deploy.yml", INSTALL))
        answers = _answers(ask)
        files = _files(answers)
        _nothing_in_the_way(path, files)
        _write(path, files)
    except (InitError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nNothing was written.", file=sys.stderr)
        return 130
    print(_next(path, root, answers, files))
    return 0


def _root(path: Path) -> Path:
    if not path.is_dir():
        raise InitError(f"There is no folder {path}. Name one in the service's git repository.")
    root = worktree.repository(path.resolve())
    if root is None:
        raise InitError(
            f"{path.resolve()} is in no git repository; what is deployed is a commit. Make it one with: git init {path}"
        )
    return root


def _nothing_in_the_way(path: Path, names: Iterable[str]) -> None:
    """Neither a file of a name, nor something else than a folder where its folder belongs. Raises InitError."""
    found = [name for name in names if (path / name).exists() or (path / name).is_symlink()]
    folder = path / "deploy"
    found += ["deploy"] if folder.is_symlink() or (folder.exists() and not folder.is_dir()) else []
    if found:
        raise InitError(f"In the way: {', '.join(found)}. Nothing was written; move it aside, or edit what is there.")


def _answers(ask: Callable[[str], str]) -> Answers:
    way = _asked(ask, HOW, "1", lambda said: None if said in (*WAYS, *WAYS.values()) else "say 1, 2 or 3")
    health = _asked(ask, HEALTH, "http://$TARGET/healthz", lambda said: None if said == "-" else _url_flaw(said))
    version = _asked(
        ask, VERSION, "http://$TARGET/version", lambda said: None if said in ("-", "script") else _url_flaw(said)
    )
    return Answers(
        way=WAYS.get(way, way),
        health=None if health == "-" else _url(health),
        version=None if version in ("-", "script") else _url(version),
        script=version == "script",
    )


def _asked(ask: Callable[[str], str], question: str, default: str, flaw: Callable[[str], str | None]) -> str:
    """The answer to a question, the default for none; an answer that does not fit is asked for again."""
    for _ in range(TRIES):
        try:
            said = ask(f"{question}[{default}] ").strip() or default
        except EOFError:
            print()
            said = default
        if (problem := flaw(said)) is None:
            return said
        print(f"That does not fit: {problem}.")
    raise InitError("Nothing was written. Start again with: shipmate init")


def _url(said: str) -> str:
    return f"http://$TARGET{said}" if said.startswith("/") else said


def _url_flaw(said: str) -> str | None:
    """What deploy.yml has against a URL."""
    try:
        parse_recipe(
            f"deploy: x\ncheck: [{{http: {json.dumps(_url(said))}}}]\n", file="", folder="", entries={"x": EXECUTABLE}
        )
    except RecipeErrors as errors:
        return errors.problems[0].message
    return None


def _files(answers: Answers) -> dict[str, str]:
    """Each file by its name; scripts are executable."""
    folder = SCRIPTS / answers.way
    files = {"deploy.yml": _recipe(answers), INSTALL: (folder / "install.sh").read_text()}
    return {**files, STATUS: (folder / "status.sh").read_text()} if answers.script else files


def _recipe(answers: Answers) -> str:
    lines = ["# How this service is deployed, the same in every environment. Look at the plans with: shipmate check"]
    if answers.way == "here":
        lines += ["deploy:", f"  run: {INSTALL}", "  detach: true # the service that it starts stays when it has ended"]
    else:
        lines += [f"deploy: {INSTALL}"]
    if answers.script:
        lines += [f"status: {STATUS} # prints the version that TARGET runs"]
    elif answers.version:
        lines += [f"status: {_scalar(answers.version)} # its first line has the version or the commit"]
    else:
        lines += ["# Without `status:` a deploy is good when its scripts exit 0, and the message says: not verified."]
    if answers.health:
        lines += ["check:", f"  - http: {_scalar(answers.health)}"]
    return "\n".join(lines) + "\n"


def _scalar(url: str) -> str:
    return url if PLAIN.fullmatch(url) else json.dumps(url)


def _write(path: Path, files: dict[str, str]) -> None:
    """All of them, or none."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            file = path / name
            file.parent.mkdir(exist_ok=True)
            with file.open("x") as opened:
                written.append(file)
                opened.write(text)
            file.chmod(0o755 if name.endswith(".sh") else 0o644)
    except OSError:
        for file in written:
            file.unlink()
        raise


def _next(path: Path, root: Path, answers: Answers, files: dict[str, str]) -> str:
    """What was written, what is left, and the lines to type."""
    scripts = " ".join(name for name in files if name.endswith(".sh"))
    left = [LEFT[answers.way]] + ([f"{STATUS}: how it is asked"] if answers.way == "own" and answers.script else [])
    lines = [f"Wrote {', '.join(files)}.", "", "To be filled in; until then the script exits 1 and says so:"]
    lines += [f"  {one}" for one in left]
    lines += [
        "",
        "Then:",
        *([f"  cd {path}"] if path.resolve() != Path.cwd() else []),
        f"  git add deploy.yml {scripts}",
    ]
    if not worktree.modes_on_disk(root):
        lines += [f"  git update-index --chmod=+x {scripts}"]
    lines += ["  shipmate check .", '  git commit -m "How this service is deployed"', "  git tag v1.0"]
    said = _configuration(path.resolve(), root, answers)
    return "\n".join(
        [*lines, "", "and in the bot's configuration, such as shipmate.yml:", *said, *_renamed(path), *_shipping(said)]
    )


def _renamed(path: Path) -> list[str]:
    """Why the service is not called as its folder, where it is not."""
    problem, name = service_problem(path.resolve().name), _name(path.resolve().name)
    return ["", f"It is called `{name}` there; choose any name that you like better: {problem}."] if problem else []


def _name(folder: str) -> str:
    """A name for the service: its folder's, or as near to it as can be."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).lstrip("-0123456789")[: NAME_LIMIT - len(SERVICE)].strip("-")
    return next(one for one in (folder, name, name + SERVICE, "api") if service_problem(one) is None)


def _shipping(configuration: list[str]) -> list[str]:
    name = configuration[1].strip(" :")
    return [
        "",
        "To ship it, each in a terminal of its own and in the folder of shipmate.yml:",
        "  shipmate run --config shipmate.yml",
        f'  shipmate say "{name} v1.0 staging" --wait',
    ]


def _configuration(path: Path, root: Path, answers: Answers) -> list[str]:
    """The entry for the service; on this machine with targets, so that it can be tried as it is."""
    name = _name(path.name)
    lines = ["  services:", f"    {name}:", f"      repo: {json.dumps(str(root))}"]
    lines += [f"      path: {json.dumps(str(path.relative_to(root)))}"] if path != root else []
    targets = '["127.0.0.1:8001", "127.0.0.1:8002"]' if answers.way == "here" else "[host-1, host-2]"
    return [*lines, "      targets:", f"        staging: {targets}", "  environments:", "    staging: {}"]
