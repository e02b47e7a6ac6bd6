"""What the documents tell people to type is understood: YAML blocks, shell lines, sentences; links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import say
from bot.__main__ import _parser
from bot.settings import read_settings
from handlers.chat.grammar import parse
from handlers.chat.sentences import Misread
from pipelines.catalog import parse_config, parse_recipe
from pipelines.domain.commands import Unbuilt
from tests.support.process import ROOT

WHY = ROOT / "docs" / "why.md"
DOCS = (ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if path != WHY))
OUR_PROGRAM = ([".venv/bin/shipmate"], ["shipmate"], [".venv/bin/python", "-m", "bot"], ["python", "-m", "bot"])
OPERATIONS = ROOT / "docs" / "operations.md"
OTHER_LINES = {". ./.env"}


def texts() -> Iterator[tuple[str, str]]:
    for path in (*DOCS, WHY, ROOT / "CHANGELOG.md"):
        yield path.name, path.read_text()


def blocks(language: str) -> list[tuple[str, str]]:
    """(where, text) of every fenced block, its indentation taken off."""
    found = []
    for name, text in texts():
        for match in re.finditer(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
            lines = [line.removeprefix(match[1]) for line in match[2].splitlines()]
            found.append((f"{name}:{text[: match.start()].count(chr(10)) + 1}", "\n".join(lines) + "\n"))
    return found


def shell_lines() -> list[tuple[str, str]]:
    return [(where, line) for where, block in blocks("sh") for line in block.splitlines() if line.strip()]


def spoken() -> list[tuple[str, str]]:
    """Every `/deploy …` in the prose; one that a line break falls into is one sentence."""
    return [
        (name, " ".join(match.split()))
        for name, text in texts()
        for match in re.findall(r"`(/(?:deploy|rollback)\s[^`]*)`", text)
    ]


def understood(text: str) -> None:
    said = parse(text)
    assert not isinstance(said, Misread), said.sentence
    assert not isinstance(said, Unbuilt), said.name


@pytest.mark.parametrize(("where", "text"), blocks("yaml"), ids=lambda v: v if ":" in v and "\n" not in v else "")
def test_yaml_is_valid(where: str, text: str) -> None:
    if re.search(r"^services:", text, re.MULTILINE):
        services = parse_config(text).services
        assert all(service.targets_in("production") for service in services.values()) and services
        return
    if re.search(r"^ *- alert:", text, re.MULTILINE):
        return  # for Prometheus, see test_operations
    scripts = re.findall(r"[\w/]+\.sh", text)
    recipe = parse_recipe(text, file=where, folder="", entries=dict.fromkeys(scripts, "100755"))
    assert recipe.deploy.run == "deploy/install.sh"


@pytest.mark.parametrize(("where", "line"), shell_lines(), ids=lambda v: v[:40])
def test_shell_lines_are_ours(where: str, line: str) -> None:
    words = shlex.split(line)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        del words[0]
    if line in OTHER_LINES:
        return
    if words[0] == "export" and words[1].startswith("PATH="):
        return
    if words[0] == "export":
        assert f"`{words[1].partition('=')[0]}`" in (ROOT / "README.md").read_text()
        return
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    if words[0] == ".venv/bin/pytest":
        assert all((ROOT / path).exists() for path in words[1:])
        return
    program = next(program for program in OUR_PROGRAM if words[: len(program)] == program)
    arguments = _parser().parse_args(words[len(program) :])
    if arguments.command == "say":
        understood(" ".join(arguments.text))


@pytest.mark.parametrize(("where", "sentence"), spoken(), ids=lambda v: v[:50])
def test_sentences_are_understood(where: str, sentence: str) -> None:
    understood(sentence)


def test_the_docs_have_examples_of_each_kind() -> None:
    assert len(blocks("yaml")) >= 5
    assert len(shell_lines()) >= 8
    assert len(spoken()) >= 15


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "how.md").read_text()))
    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")} - {"how.md", "why.md"}


def test_the_pictures_are_small_and_shown() -> None:
    for picture in (ROOT / "docs").glob("*.png"):
        assert picture.stat().st_size <= 300 * 1024
        assert any(f"{picture.name})" in text for _, text in texts())


def test_the_readme_has_every_exit_status_and_variable() -> None:
    readme = (ROOT / "README.md").read_text()
    statuses = {int(number) for number in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)}
    assert statuses == {0, 1, 2, 3, 4, say.NO_BOT, say.UNKNOWN, say.INTERRUPTED}


def test_every_variable_that_is_read_is_in_the_table_for_operators_and_what_the_readme_names_is_one_of_them() -> None:
    known = Names()
    read_settings(known)
    assert variables(OPERATIONS) - {"OTEL_EXPORTER_OTLP_ENDPOINT"} == known.asked
    assert {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SHIPMATE_CONFIG"} <= variables(ROOT / "README.md") <= known.asked


def variables(page: Path) -> set[str]:
    """The variables in the first cells of a page's table of them."""
    text = page.read_text()
    table = text[text.index("| variable |") :]
    cells = [line.split("|")[1] for line in table[: table.index("\n\n")].splitlines()]
    return set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", " ".join(cells)))


class Names(dict[str, str]):
    """An environment that is empty but for a token, and notes what was asked of it."""

    def __init__(self) -> None:
        super().__init__(SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1")
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> str:
        self.asked.add(key)
        return super().get(key, default)  # type: ignore[arg-type]
