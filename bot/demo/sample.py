"""The sample service's git repository, made from `config/demo`: the same commits with the same ids everywhere.

What is in them stands in `config/demo/api` (the first commit) and `config/demo/history.toml` (the rest).
"""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).resolve().parents[2] / "config" / "demo"
FIRST_DAY = 1_772_442_000  # seconds since 1970; a Monday morning
DAY = 86_400
GIT_TIMEOUT = 60.0
Files = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit with all its files: path to text."""

    author: str
    message: str
    tag: str | None
    files: Files


def build(repository: Path, pace: float) -> None:
    """Makes the repository with its work tree; one that is there already is left as it is.

    `pace` is how many seconds the scripts rest between two lines. Raises subprocess.SubprocessError when git fails.
    """
    if repository.exists():
        return
    fresh = repository.with_name(repository.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    git(fresh, "init", "--quiet", "--initial-branch=main")
    git(fresh, "fast-import", "--quiet", stdin="".join(records(history(pace))).encode())
    git(fresh, "reset", "--quiet", "--hard", "main")
    fresh.rename(repository)


def release(repository: Path, tag: str) -> tuple[str, bytes]:
    """The commit of a tag and a tar of its `app/`."""
    commit = git(repository, "rev-parse", "--verify", f"refs/tags/{tag}^{{commit}}").decode().strip()
    return commit, git(repository, "archive", "--format=tar", commit, "app")


def history(pace: float) -> Iterator[Commit]:
    files = {str(file.relative_to(CONFIG / "api")): file.read_text() for file in sorted(sources())}
    files["deploy/pace"] = f"{pace:g}\n"
    for commit in tomllib.loads((CONFIG / "history.toml").read_text())["commit"]:
        files = changed(files, commit.get("change", []))
        yield Commit(author=commit["author"], message=commit["message"], tag=commit.get("tag"), files=files)


def sources() -> Iterator[Path]:
    """The first commit's files, without what running them there may have left behind."""
    return (file for file in (CONFIG / "api").rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def changed(files: Files, changes: list[dict[str, Any]]) -> Files:
    """Raises ValueError when what a change replaces does not stand in its file exactly once."""
    files = dict(files)
    for change in changes:
        name, old, new = change["file"], change.get("old"), change["new"]
        if old is not None and files[name].count(old) != 1:
            raise ValueError(f"history.toml: {old!r} must stand in {name} exactly once")
        files[name] = new if old is None else files[name].replace(old, new)
    return files


def records(commits: Iterator[Commit]) -> Iterator[str]:
    """The history as `git fast-import` reads it."""
    for number, commit in enumerate(commits):
        who = f"{commit.author} <{commit.author}@example.com> {FIRST_DAY + number * DAY} +0000"
        yield f"commit refs/heads/main\nmark :{number + 1}\nauthor {who}\ncommitter {who}\n{data(commit.message)}"
        yield "deleteall\n"
        for name, text in commit.files.items():
            yield f"M {'100755' if text.startswith('#!') else '100644'} inline {name}\n{data(text)}"
        if commit.tag:
            yield f"tag {commit.tag}\nfrom :{number + 1}\ntagger {who}\n{data(f'api {commit.tag}')}"


def data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Real git, without what this user or machine configured for other repositories."""
    ours = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    env = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")} | ours
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=env, input=stdin, capture_output=True, check=False, timeout=GIT_TIMEOUT
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise subprocess.SubprocessError(f"git {arguments[0]} failed in {folder}: {reason}")
    return done.stdout
