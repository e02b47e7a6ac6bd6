"""deploy.yml: every mistake with its file, its line and a way on; all at once; and nothing but a recipe or problems."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalog import RecipeErrors, parse_recipe
from pipelines.domain.recipe import (
    STATUS_TIMEOUT,
    Check,
    CheckKind,
    OnLost,
    Recipe,
    Recreate,
    Rolling,
    Script,
    StatusUrl,
)
from pipelines.domain.variables import OWN, SECRET_NAME

ENTRIES = {
    "deploy/install.sh": "100755",
    "deploy/route.sh": "100755",
    "deploy/smoke.sh": "100755",
    "deploy/notes.txt": "100644",
    "deploy/link.sh": "120000",
    "vendor": "160000",
    "services/api/run.sh": "100755",
}
LEAST = "deploy: deploy/install.sh\n"


def parse(text: str | bytes, folder: str = "") -> Recipe:
    return parse_recipe(text, file="deploy.yml", folder=folder, entries=ENTRIES)


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(RecipeErrors) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_least_file() -> None:
    assert parse(LEAST) == Recipe(deploy=Script(run="deploy/install.sh"))


def test_a_grown_file() -> None:
    recipe = parse(
        "deploy: {run: deploy/install.sh, timeout: 2m, on_lost: rerun, detach: true}\n"
        "route: deploy/route.sh\n"
        "status: http://$TARGET/version\n"
        "strategy:\n  rolling: {batch: 25%, bake: 20s}\n"
        "before:\n  - run: deploy/install.sh\n  - deploy/route.sh\n"
        "check:\n  - http: http://$TARGET/healthz\n  - tcp: $TARGET\n"
        "  - run: deploy/smoke.sh\n    timeout: 1m30s\n    retries: 5\n"
        "timeout: 1h\n"
    )
    assert recipe.deploy == Script(run="deploy/install.sh", timeout=120, on_lost=OnLost.RERUN, detach=True)
    assert recipe.status == StatusUrl(url="http://$TARGET/version")
    assert recipe.strategy == Rolling(percent=25, bake=20)
    assert [script.run for script in recipe.before] == ["deploy/install.sh", "deploy/route.sh"]
    assert recipe.checks[2] == Check(kind=CheckKind.RUN, what="deploy/smoke.sh", timeout=90, retries=5)
    assert recipe.timeout == 3600


def test_silence_is_for_every_script() -> None:
    quiet = "{run: deploy/install.sh, silence: 10m}"
    keys = ("deploy", "route", "status", "before", "after", "check")
    recipe = parse("\n".join(f"{key}: {quiet}" for key in keys) + "\n")
    scripts = [recipe.deploy, recipe.route, recipe.status, *recipe.before, *recipe.after, *recipe.checks]
    assert [getattr(script, "silence", None) for script in scripts] == [600.0] * len(keys)


def test_recreate_may_stop() -> None:
    recipe = parse(LEAST + "strategy: recreate\nstop: deploy/route.sh\n")
    assert (recipe.strategy, recipe.stop) == (Recreate(), Script(run="deploy/route.sh"))


def test_paths_are_relative_to_the_file_and_kept_from_the_root() -> None:
    assert parse("deploy: run.sh", folder="services/api").deploy.run == "services/api/run.sh"
    assert parse("deploy: ../../deploy/install.sh", folder="services/api").deploy.run == "deploy/install.sh"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "deploy.yml:1: there is no `deploy`; the least file is `deploy: deploy/install.sh`"),
        ("- a", "deploy.yml:1: deploy.yml must be a mapping such as `deploy: …`, not a list"),
        (
            "deploy: deploy/notes.txt",
            "deploy.yml:1: `deploy/notes.txt` is not executable; run: git add --chmod=+x deploy/n",
        ),
        ("deploy: deploy/instal.sh", "deploy.yml:1: `deploy/instal.sh` is not in the commit. Did you mean"),
        ("deploy: deploy", "deploy.yml:1: `deploy` is a folder"),
        ("deploy: deploy/link.sh", "deploy.yml:1: `deploy/link.sh` is a symbolic link"),
        ("deploy: vendor/x.sh", "deploy.yml:1: `vendor/x.sh` is in a submodule"),
        ("deploy: /bin/true", "deploy.yml:1: `/bin/true` is outside the repository"),
        ("deploy: ../x.sh", "deploy.yml:1: `../x.sh` is outside the repository"),
        ("deploy: {timeout: 5s}", "deploy.yml:1: `deploy` names no script"),
        ("deploy: [a]", "deploy.yml:1: `deploy` must be a script"),
        (LEAST + "chek: x", "deploy.yml:2: `chek` is not a key of deploy.yml. Did you mean `check`?"),
        (LEAST + "deploy: x", "deploy.yml:2: `deploy` is here twice; the first is in line 1"),
        (LEAST + "timeout: 45", "deploy.yml:2: `timeout` must be a time such as 30s, 15m or 1h30m, not `45`"),
        (LEAST + "timeout: 0s", "deploy.yml:2: `timeout` must be longer than nothing"),
        (LEAST + "stop: deploy/route.sh", "deploy.yml:2: `stop` is used by `strategy: recreate` alone"),
        (LEAST + "strategy: canary", "deploy.yml:2: `canary` is not enforced by this version yet"),
        (LEAST + "strategy: rollin", "deploy.yml:2: `rollin` is not a strategy. Did you mean `rolling`?"),
        (LEAST + "strategy: {rolling: {batch: 0}}", "deploy.yml:2: `batch` must be a number of targets"),
        (LEAST + "strategy: {rolling: {batch: 150%}}", "deploy.yml:2: `batch` must be a number of targets"),
        (LEAST + "check: [{}]", "deploy.yml:2: a check asks one thing"),
        (LEAST + "check: [{http: $TARGET}]", "deploy.yml:2: `$TARGET` is no URL"),
        (
            LEAST + "check: [{http: http://$TARGE/}]",
            "deploy.yml:2: `$TARGE` is not a name that is replaced here. Did you",
        ),
        (
            LEAST + "check: [{http: 'http://$TARGET/?t=$TOKEN'}]",
            "deploy.yml:2: `$TOKEN` is not a name that is replaced here. Known here: SERVICE, ENVIRONMENT, TARGET, "
            "REGION, VERSION, COMMIT, PREVIOUS_VERSION, PREVIOUS_COMMIT. A secret must be named under `secrets:`.",
        ),
        (
            LEAST + "secrets: [A, VERSION]",
            "deploy.yml:2: `VERSION` is what Shipmate tells every script; give the secret",
        ),
        (LEAST + "secrets:\n- A\n- b_url", "deploy.yml:4: a secret is named by a variable such as B_URL, and no value"),
        (LEAST + "secrets: [A, B, A]", "deploy.yml:2: `A` is named twice under `secrets`"),
        (LEAST + "secrets: {A: b}", "deploy.yml:2: `secrets` must be a word, not a mapping"),
        (LEAST + f"secrets: [{', '.join(f'A{n}' for n in range(101))}]", "deploy.yml:2: these are 101 secrets; more"),
        (LEAST + "check: [{tcp: somewhere}]", "deploy.yml:2: `somewhere` has no port"),
        (LEAST + "check: [x]", "deploy.yml:2: a check is a mapping"),
        (LEAST + "timeout: 999999999h", "deploy.yml:2: `timeout` is longer than 30 days"),
        (LEAST + "timeout: \u0663s", "deploy.yml:2: `timeout` must be a time"),
        (LEAST + "check: [{http: 'http://x:99999/'}]", "deploy.yml:2: `http://x:99999/` cannot be asked: a port is"),
        (LEAST + "strategy: blue-green", "deploy.yml:2: `blue-green` is not enforced by this version yet"),
        (
            LEAST + "st\u0430tus: x.sh",
            "deploy.yml:2: `st\u0430tus` is not a key of deploy.yml. The character \u0430",
        ),
        (LEAST + "status: d/i\u200b.sh", "deploy.yml:2: an invisible character is here: U+200B (zero width space)"),
        (LEAST + "check: [{http: http://$TARGET/, silence: 1m}]", "deploy.yml:2: `silence` is of scripts"),
        (LEAST + "after: {run: deploy/install.sh, silence: 0s}", "deploy.yml:2: `silence` must be"),
        (
            LEAST + "before:\n  - {run: deploy/install.sh, when: x}",
            "deploy.yml:3: `when` is not enforced by this version",
        ),
        (LEAST + "after: {run: deploy/install.sh, on_lost: maybe}", "deploy.yml:2: `on_lost` must be ask or rerun"),
        (
            LEAST + "after: {run: deploy/install.sh, detach: yes}",
            "deploy.yml:2: `detach` must be true or false, not `yes`",
        ),
        (LEAST + "strategy: {recreate: {batch: 1}}", "deploy.yml:2: `recreate` takes no keys"),
        (LEAST + "strategy: {recreate: , rolling: {batch: 1}}", "deploy.yml:2: a strategy is one of rolling and"),
        (LEAST + "check: [{http: http://x, detach: true}]", "deploy.yml:2: `detach` is of scripts; a check by http"),
        (LEAST + "check: [{tcp: $TARGET, on_lost: ask}]", "deploy.yml:2: `on_lost` is of scripts; a check by tcp"),
        (LEAST + "x: @api", 'deploy.yml:2: a value that begins with @ must be quoted: quote it, as in "@api"'),
        (LEAST + "secrets: [@foo]", 'deploy.yml:2: a value that begins with @ must be quoted: quote it, as in "@foo"'),
        (LEAST + "x: *", 'deploy.yml:2: a value that begins with * must be quoted: quote it, as in "*"'),
        (LEAST + "x: *.sh # all", 'deploy.yml:2: a value that begins with * must be quoted: quote it, as in "*.sh"'),
        (LEAST + "check:\n\t- x", "deploy.yml:3: a tab indents this line"),
        (LEAST + "---\na: b", "deploy.yml:2: a second document begins here"),
        (LEAST + "<<: {a: b}", "deploy.yml:2: merge keys"),
        (b"deploy: \xff", "deploy.yml:1: the file is not UTF-8 text"),
        ("a: " + "[" * 60 + "]" * 60, "deploy.yml:1: this is nested too deeply"),
        ("a: &a [*a]", "deploy.yml:1: `*a` names nothing that ended before it"),
        ("x" * 64_001, "deploy.yml:1: the file is larger than 64 kB"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str | bytes, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(text)), problems(text)


@pytest.mark.parametrize("key", ["stats", "rollback", "tests", "watch", "guard"])
def test_what_is_not_enforced_yet_is_refused_by_name(key: str) -> None:
    assert problems(LEAST + f"{key}: x") == [
        f"deploy.yml:2: `{key}` is not enforced by this version yet; remove it for now"
    ]


def test_secrets_are_names_that_urls_and_addresses_may_use() -> None:
    recipe = parse(
        LEAST + "status: http://$TARGET/version?t=${TOKEN_2}\ncheck: [{tcp: $DB}, {http: 'http://u:$DB@$TARGET/'}]\n"
        "secrets: [DB, TOKEN_2]\n"
    )
    assert recipe.secrets == ("DB", "TOKEN_2")
    assert recipe.status == StatusUrl(url="http://$TARGET/version?t=${TOKEN_2}")
    assert parse(LEAST + "secrets: DB").secrets == ("DB",)


def test_what_stands_where_a_name_belongs_is_not_repeated_for_it_may_be_a_value() -> None:
    found = problems(LEAST + "secrets:\n- DB=postgres://u:hunter2@db\n- 'hunter2!'\n")
    assert len(found) == 2 and "hunter2" not in str(found)


@given(st.from_regex(SECRET_NAME, fullmatch=True))
def test_every_name_of_a_secret_is_its_own_or_shipmates(name: str) -> None:
    text = LEAST + f"secrets: [{name}]\nstatus: http://$TARGET/$" + "{" + name + "}"
    if name in OWN:
        assert problems(text)
    else:
        assert parse(text).secrets == (name,)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    found = problems("deploy: nothing.sh\nstrategy: canary\nwatch: x\nchek: y\ntimeout: 45\n")
    assert [one.split(":")[1] for one in found] == ["1", "2", "3", "4", "5"]


def test_an_alias_bomb_is_refused_quickly() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    start = time.perf_counter()
    assert "too large" in problems(bomb)[0]
    assert time.perf_counter() - start < 0.2


@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_problems(text: str) -> None:
    try:
        parse(text)
    except RecipeErrors as errors:
        assert errors.problems


yaml_like = st.recursive(
    st.sampled_from(["deploy/install.sh", "45", "20s", "25%", "true", "no", "~", "$TARGET", "canary", "1.10"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | st.dictionaries(
            st.sampled_from(["run", "timeout", "http", "tcp", "rolling", "batch", "retries"]), inner, max_size=3
        ).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}")
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["deploy", "route", "status", "before", "check", "strategy", "timeout"]), yaml_like)
)
def test_any_shape_is_a_recipe_or_problems(keys: dict[str, str]) -> None:
    try:
        parse("".join(f"{key}: {value}\n" for key, value in keys.items()))
    except RecipeErrors as errors:
        assert all(problem.line >= 1 for problem in errors.problems)


def test_a_status_script_may_take_its_time_and_is_asked_again_where_it_was_lost() -> None:
    usual = parse(LEAST + "status: deploy/install.sh").status
    assert isinstance(usual, Script) and (usual.timeout, usual.on_lost) == (STATUS_TIMEOUT, OnLost.RERUN)
    own = parse(LEAST + "status: {run: deploy/install.sh, timeout: 2m, on_lost: ask, detach: true}").status
    assert isinstance(own, Script) and (own.timeout, own.on_lost, own.detach) == (120, OnLost.ASK, True)
