"""Every form of a sentence, typed one after the other, and the whole of each answer: `sentences.txt` is the table.

After a change of words, SHIPMATE_TRANSCRIPTS=1 writes it anew; read the difference.
"""

import contextlib
import io
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.say import Saying, say
from tests.support.process import Bot
from tests.support.scene import make_service, timeless

TABLE = Path(__file__).parent / "sentences.txt"
PROMPT = re.compile(r"^(\w+)( waits)?> (.*)\n", re.MULTILINE)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    service = make_service(tmp_path, channel=None)
    service.git("tag", "main-2", "v1.2")
    service.git("branch", "v1.1", "v1.2")  # a name that means two commits
    (tmp_path / "go").touch()
    bot = Bot(data=tmp_path / "data", config=service.config)
    try:
        bot.start()
        yield bot
    finally:
        bot.kill()


def grouped(lines: list[str]) -> Iterator[list[str]]:
    """Targets are asked for their status at once, and answer in any order: neighbours of that kind are sorted."""
    for status, group in itertools.groupby(lines, key=lambda line: bool(re.match(r"[✓✗] status of ", line))):
        found = list(group)
        yield sorted(found) if status else found


def answer(bot: Bot, by: str, text: str, *, wait: bool) -> str:
    """What a terminal shows, then the exit status; times and commits are left out."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        status = say(Saying(text=text, as_name=by, wait=wait, data=bot.data))
    lines = shown.getvalue().splitlines(keepends=True)
    lines = [line for group in grouped(lines) for line in group]
    lines = [re.sub(r"(?<=  versions: ).*", "…", line) for line in lines]  # made in one second, they have no order
    said = re.sub(r"\b[0-9a-f]{7}(?:[0-9a-f]{5}|[0-9a-f]{33})?\b", "COMMIT", timeless("".join(lines)))
    return f"{said}[{status}]\n"


def test_every_sentence_has_the_answer_of_the_table(bot: Bot) -> None:
    table = TABLE.read_text()
    asked = [(found[1], bool(found[2]), found[3]) for found in PROMPT.finditer(table)]
    said = table[: table.index(f"{asked[0][0]}> ")]
    for by, wait, text in asked:
        said += f"{by}{' waits' if wait else ''}> {text}\n{answer(bot, by, text, wait=wait)}\n"
    if os.environ.get("SHIPMATE_TRANSCRIPTS"):
        TABLE.write_text(said)
    assert said == table
