"""Files that mean harm, or were torn: each is read or refused in a moment and in little memory, never an exception."""

import random
import sys
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalog import ConfigErrors, RecipeErrors, parse_config, parse_recipe
from tests.support.process import ROOT

SECONDS, BYTES = 0.2, 50 * 1024 * 1024
ENTRIES = {"deploy/install.sh": "100755", "deploy/route.sh": "100755", "deploy/status.sh": "100755"}
GOOD = (
    "deploy: deploy/install.sh\nroute: deploy/route.sh\nstatus: http://$TARGET/version\n"
    "strategy:\n  rolling: {batch: 25%, bake: 20s}\ncheck:\n  - http: http://$TARGET/healthz\n  - tcp: $TARGET\n"
    "before:\n  - run: deploy/install.sh\n    timeout: 5m\ntimeout: 45m\n"
)
CONFIG = (ROOT / "config/shipmate.yml").read_text().replace("# ", "").replace("services: {}", "services:")
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
CORPUS = {
    "an alias bomb": BOMB,
    "a bomb of mappings": BOMB.replace("[", "{x: ").replace("]", "}").replace(", *", ", y: *"),
    "brackets": "[" * 60_000,
    "braces": "{" * 60_000,
    "brackets in pairs": "[" * 29_000 + "]" * 29_000,
    "braces with keys": "{a: " * 15_000,
    "brackets in a comment": "# " + "[" * 60_000,
    "dashes": "- " * 30_000,
    "questions": "? " * 30_000,
    "lines": "".join(f"a{i}: b\n" for i in range(8_000)),
    "items": "check:\n" + "- {http: http://x}\n" * 3_000,
    "commas": "[a" + ",a" * 30_000 + "]",
    "aliases": "a: &x [1, 2]\nb:\n" + "- *x\n" * 12_000,
    "anchors": "".join(f"a{i}: &a{i} b\n" for i in range(4_000)),
    "itself": "a: &a [*a]",
    "a word": "x: " + "y" * 60_000,
    "a quoted word": '"' + "x" * 60_000 + '"',
    "escapes": '"' + "\\x41" * 15_000 + '"',
    "a key": "a" * 60_000 + ": b",
    "comments": "# c\n" * 15_000,
    "empty lines": "\n" * 64_000,
    "a block": "a: |\n" + "  line\n" * 9_000,
    "deep blanks": "a:\n" + "".join(" " * i + "b:\n" for i in range(1, 340)),
    "documents": "---\na: b\n" * 7_000,
    "tags": "a: !!python/object:os.system x\nb: !<tag:x> y\n" * 1_000,
    "directives": "%YAML 1.1\n" * 6_000,
    "colons": ":" * 60_000,
    "quotes": "'" * 60_001,
    "tabs": "\t" * 60_000,
    "merges": "<<: {a: b}\n" * 4_000,
    "twice": "deploy: deploy/install.sh\n" * 2_400,
    "unknown keys": "".join(f"deplyo{i}: x\n" for i in range(1_400)),
    "a mark of byte order": "\ufeffdeploy: deploy/install.sh",
    "nothing": "",
    "blanks": " " * 64_000,
    "numbers": "timeout: " + "9" * 60_000,
    "a long time": "timeout: " + "9" * 5_000 + "h",
    "variables": "status: http://" + "$TARGET" * 8_000,
    "an unknown variable": "status: http://" + "$NOBODY" * 8_000,
    "unknown variables": "status: http://" + "".join(f"$N{n}" for n in range(9_000)),
    "paths": "deploy: " + "../" * 20_000 + "x",
    "not text": "\x00\x01\x02\ud800",
    "more than is read": "x" * 64_001,
}


def recipe(text: str | bytes) -> None:
    try:
        parse_recipe(text, file="deploy.yml", folder="", entries=ENTRIES)
    except RecipeErrors as errors:
        assert errors.problems and all(problem.line >= 1 for problem in errors.problems)


def config(text: str | bytes) -> None:
    try:
        parse_config(text)
    except ConfigErrors as errors:
        assert errors.problems and all(problem.line >= 1 for problem in errors.problems)


def seconds(read: Callable[[str], None], text: str) -> float:
    """Of this process's own time, the least of ten: others may be busy on this machine."""
    took, tracing = [], sys.gettrace()
    sys.settrace(None)  # measuring what is covered takes longer than the reading
    try:
        for _ in range(10):
            start = time.process_time()
            read(text)
            took.append(time.process_time() - start)
            if took[-1] <= SECONDS:
                break
    finally:
        sys.settrace(tracing)
    return min(took)


@pytest.mark.parametrize("name", CORPUS)
def test_a_deploy_yml_that_means_harm_is_read_or_refused_in_a_moment(name: str) -> None:
    assert seconds(recipe, CORPUS[name]) <= SECONDS


@pytest.mark.parametrize("name", CORPUS)
def test_it_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        recipe(CORPUS[name])
        assert tracemalloc.get_traced_memory()[1] <= BYTES
    finally:
        tracemalloc.stop()


LARGE = {
    "services": "services:\n" + "".join(f"  s{i}: {{repo: /x, targets: {{a: [b, c]}}}}\n" for i in range(15_000)),
    "unknown keys": "".join(f"k{i}: x\n" for i in range(24_000)),
    "unknown environments": "environments:\n  a:\nservices:\n  s:\n    repo: /x\n    targets:\n"
    + "".join(f"      e{i}: [a]\n" for i in range(16_000)),
    "comments": "services:\n" + "# a\n" * 240_000,
    "empty lines": "\n" * 990_000,
    "one word": "services: " + "x" * 980_000,
}


@pytest.mark.parametrize("text", [*CORPUS.values(), *LARGE.values()], ids=[*CORPUS, *LARGE])
def test_a_configuration_that_means_harm_is_refused_in_a_moment(text: str) -> None:
    assert seconds(config, text) <= SECONDS


@pytest.mark.parametrize("name", LARGE)
def test_a_large_configuration_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        config(LARGE[name])
        assert tracemalloc.get_traced_memory()[1] <= BYTES
    finally:
        tracemalloc.stop()


def torn(text: str, rng: random.Random) -> str:
    """A few of its characters lost, doubled or replaced."""
    characters = list(text)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(characters))
        characters[at : at + rng.randint(0, 3)] = rng.choice(
            ["", "\t", ":", "- ", "[", "{", "*", "&a ", "@", "\n", '"', "  "]
        )
    return "".join(characters)


@pytest.mark.parametrize("seed", range(200))
def test_a_torn_file_is_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    recipe(torn(GOOD, rng))
    config(torn(CONFIG, rng))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    recipe(text)
    config(text)
