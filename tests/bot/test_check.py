"""`check` as a service's own CI runs it: plans for every environment, or every mistake with its line; without a bot."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import worktree
from bot.__main__ import main
from tests.support.process import ROOT
from tests.support.service import GIT

RECIPE = "deploy: deploy/install.sh\nstatus: http://$TARGET/version\n"
Checked = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Checked:
    """Run `check` in an empty folder: the exit status, the lines of both outputs."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.delenv("SHIPMATE_CONFIG", raising=False)
    monkeypatch.setenv("SLACK_APP_TOKEN", "alone, this is no way to run a bot")

    def run(*arguments: object) -> tuple[int, list[str], list[str]]:
        status = main(["check", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    return run


def write(folder: Path, recipe: str = RECIPE, *, scripts: tuple[str, ...] = ("deploy/install.sh",)) -> Path:
    for name in scripts:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deploy.yml").write_text(recipe)
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **GIT}, check=True, capture_output=True)


def configure(folder: Path, repo: object, more: str = "") -> Path:
    file = folder / "shipmate.yml"
    file.write_text(
        f"services:\n  api:\n    repo: {repo}\n    path: services/api\n    targets: {{staging: [stg-1:80]}}\n"
        f"environments:\n  staging: {{{more}}}\n"
    )
    return file


def test_a_plain_folder_without_any_configuration(check: Checked, tmp_path: Path) -> None:
    assert check(write(tmp_path / "api")) == (
        0,
        [
            "deploy.yml is good. These environments and targets are examples; name the bot's configuration with "
            "--config FILE.",
            "",
            "api → staging: stg-1:8080, stg-2:8080",
            "  1. install on stg-1:8080 · deploy/install.sh · at most 15 min",
            "  2. status of stg-1:8080 · http://stg-1:8080/version · at most 30 s · up to 3 times",
            "  3. install on stg-2:8080 · deploy/install.sh · at most 15 min",
            "  4. status of stg-2:8080 · http://stg-2:8080/version · at most 30 s · up to 3 times",
            "  5. status of stg-1:8080 · http://stg-1:8080/version · at most 30 s · up to 3 times",
            "  5. status of stg-2:8080 · http://stg-2:8080/version · at most 30 s · up to 3 times",
            "",
            "api → production: prod-1:8080, prod-2:8080",
            "  1. install on prod-1:8080 · deploy/install.sh · at most 15 min",
            "  2. status of prod-1:8080 · http://prod-1:8080/version · at most 30 s · up to 3 times",
            "  3. install on prod-2:8080 · deploy/install.sh · at most 15 min",
            "  4. status of prod-2:8080 · http://prod-2:8080/version · at most 30 s · up to 3 times",
            "  5. status of prod-1:8080 · http://prod-1:8080/version · at most 30 s · up to 3 times",
            "  5. status of prod-2:8080 · http://prod-2:8080/version · at most 30 s · up to 3 times",
        ],
        [],
    )


def test_every_mistake_of_both_files_is_told_at_once_with_its_line(check: Checked, tmp_path: Path) -> None:
    folder = write(tmp_path / "api", "deploy: deploy/instal.sh\nchek: x\ntimeout: 45\n")
    (tmp_path / "shipmate.yml").write_text("servces: {}\n")
    status, out, err = check(folder, "--config", tmp_path / "shipmate.yml")
    assert (status, out) == (1, [])
    assert [line.split(": ")[0] for line in err] == ["shipmate.yml:1", "deploy.yml:1", "deploy.yml:2", "deploy.yml:3"]
    assert "Did you mean `deploy/install.sh`?" in err[1]


def test_in_a_repository_paths_are_from_its_root_and_what_git_ignores_is_not_there(
    check: Checked, tmp_path: Path
) -> None:
    root = tmp_path / "mono"
    folder = write(
        root / "services" / "api", "deploy: run.sh\nbefore: [../../tools/x.sh, local.sh]\n", scripts=("run.sh",)
    )
    write(root, scripts=("tools/x.sh", "services/api/local.sh"))
    (root / ".gitignore").write_text("local.sh\n")
    git(root, "init", "-q")
    status, _, err = check(folder / "deploy.yml")
    assert status == 1 and err[0].startswith("services/api/deploy.yml:2: `local.sh` is not in the commit.")
    (root / ".gitignore").write_text("")
    status, out, err = check(folder)
    assert (status, err) == (0, []) and "  1. before: x · tools/x.sh · at most 15 min" in out
    (root / ".gitignore").write_text("deploy.yml\n")
    assert check(folder)[2] == ["services/api/deploy.yml:1: this is no file that git would commit"]


def test_links_submodules_and_plain_files_are_what_the_commit_would_make_of_them(
    check: Checked, tmp_path: Path
) -> None:
    for repository in (False, True):
        root = write(tmp_path / f"api{repository}", "deploy: link.sh\nroute: inner/x.sh\nbefore: [plain.sh, deploy]\n")
        write(root / "inner", scripts=("x.sh",))
        (root / "link.sh").symlink_to("deploy/install.sh")
        (root / "plain.sh").write_text("#!/bin/sh\n")
        git(root / "inner", "init", "-q")
        if repository:
            git(root, "init", "-q")
        status, _, err = check(root)
        assert status == 1
        assert [line.partition("; ")[0] for line in err] == [
            "deploy.yml:1: `link.sh` is a symbolic link",
            "deploy.yml:2: `inner/x.sh` is in a submodule, which is not checked out",
            "deploy.yml:3: `deploy` is a folder",
            "deploy.yml:3: `plain.sh` is not executable",
        ]


@pytest.mark.parametrize(
    ("begins", "wrong"),
    [
        (b"#!/bin/sh\n", None),
        (b"#!/bin/sh", None),
        (b"\x7fELF\x02\x01\x01\0\0", None),
        (b"echo hi\n", "`deploy/install.sh` is no program: its first line must name an interpreter, such as #!/bin/sh"),
        (b"", "`deploy/install.sh` is no program: its first line must name an interpreter, such as #!/bin/sh"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "`deploy/install.sh` is no program"),
        (b"#!/bin/sh\r\n", "the first line of `deploy/install.sh` ends as on Windows; save it with plain line ends"),
    ],
)
def test_a_script_has_to_be_a_program(check: Checked, tmp_path: Path, begins: bytes, wrong: str | None) -> None:
    folder = write(tmp_path / "api", "# how\n" + RECIPE)
    (folder / "deploy/install.sh").write_bytes(begins)
    status, _, err = check(folder)
    assert (status, bool(err)) == ((1, True) if wrong else (0, False))
    assert all(line.startswith(f"deploy.yml:2: {wrong}") for line in err)


def test_executable_is_what_a_commit_would_make_executable(check: Checked, tmp_path: Path) -> None:
    root = write(tmp_path / "api")
    git(root, "init", "-q")
    git(root, "add", ".")
    (root / "deploy/install.sh").chmod(0o644)
    assert check(root)[0] == 0  # staged so
    git(root, "config", "core.fileMode", "false")
    git(root, "update-index", "--chmod=-x", "deploy/install.sh")
    (root / "deploy/install.sh").chmod(0o755)
    assert check(root)[2] == [
        "deploy.yml:1: `deploy/install.sh` is not executable; run: git add --chmod=+x deploy/install.sh"
    ]


@pytest.mark.parametrize("how", ["path", "remote", "named"])
def test_the_configurations_service_that_lives_here(check: Checked, tmp_path: Path, how: str) -> None:
    root = tmp_path / "mono"
    folder = write(root / "services" / "api", RECIPE + "secrets: [TOKEN]\n")
    git(root, "init", "-q")
    git(root, "remote", "add", "origin", "https://github.com/acme/mono.git")
    repo = {"path": root, "remote": "git@github.com:Acme/mono", "named": "/elsewhere"}[how]
    config = configure(tmp_path, repo, f"secrets_from: 'file://{tmp_path}/{{name}}'")
    more = ("--service", "api") if how == "named" else ()
    assert check(folder, "--config", config, *more) == (
        0,
        [
            "services/api/deploy.yml is good.",
            "",
            "api → staging: stg-1:80",
            "  1. install on stg-1:80 · services/api/deploy/install.sh · at most 15 min",
            "  2. status of stg-1:80 · http://stg-1:80/version · at most 30 s · up to 3 times",
            "  3. status of stg-1:80 · http://stg-1:80/version · at most 30 s · up to 3 times",
            "  with the secrets TOKEN",
        ],
        [
            "warning: These secrets of api cannot be read for staging:",
            f"TOKEN: there is no file {tmp_path}/TOKEN; write the value into it",
            "Put each value into its file, readable by the bot's user, then ask again.",
        ],
    )


def test_a_configuration_in_which_nobody_lives_here(
    check: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "web shop", RECIPE + "secrets: [TOKEN]\n")
    monkeypatch.setenv("SHIPMATE_CONFIG", str(configure(tmp_path, "/elsewhere")))
    status, out, err = check(folder)
    assert (status, out[0]) == (
        0,
        "deploy.yml is good. No service of the configuration lives here, so targets are unknown; name it with "
        "--service NAME.",
    )
    assert out[2] == "service → staging: staging"
    assert err[0].startswith("warning: deploy.yml names the secret TOKEN, but the bot's configuration does not say")
    status, out, err = check(folder, "--service", "apl")
    assert (status, out, err) == (1, [], ["There is no service `apl` in the configuration. Did you mean `api`?"])


def test_a_default_configuration_is_used_where_there_is_one(check: Checked, tmp_path: Path) -> None:
    folder = write(tmp_path / "cwd")
    (folder / "config").mkdir()
    configure(folder / "config", "/elsewhere").read_text()
    assert check()[1][2] == "cwd → staging: staging"
    (folder / "config" / "shipmate.yml").write_text("services: {}\n")
    assert check()[1][2] == "cwd → staging: stg-1:8080, stg-2:8080"


def test_a_name_that_both_files_give_is_wrong_on_every_machine(check: Checked, tmp_path: Path) -> None:
    folder = write(tmp_path / "api", RECIPE + "secrets: [TOKEN]\n")
    config = configure(tmp_path, folder, f"pass_env: [TOKEN], secrets_from: 'file://{tmp_path}/{{name}}'")
    (tmp_path / "TOKEN").write_text("x")
    status, _, err = check(folder, "--config", config)
    assert (status, err[1]) == (1, "TOKEN is a secret of deploy.yml too")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere", "There is no nowhere. Name a folder with a deploy.yml, or the file itself."),
        (".", "There is no deploy.yml. Write one with: shipmate init ."),
    ],
)
def test_where_there_is_nothing_to_check(check: Checked, path: str, said: str) -> None:
    assert check(path) == (1, [], [said])


def test_a_deploy_yml_that_is_a_link_is_no_file_to_the_bot(check: Checked, tmp_path: Path) -> None:
    folder = write(tmp_path / "api")
    (folder / "deploy.yml").rename(folder / "real.yml")
    (folder / "deploy.yml").symlink_to("real.yml")
    assert check(folder)[2] == ["deploy.yml:1: this is a symbolic link; the bot reads a file"]


def test_as_a_program(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "bot", "check", str(write(tmp_path / "api"))]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("deploy.yml is good.")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git@github.com:acme/api.git", "https://github.com/acme/api"),
        ("ssh://git@github.com:22/acme/api.git", "https://user:token@GitHub.com/acme/api.git/"),
        ("/srv/api.git", "file:///srv/api"),
    ],
)
def test_one_repository_has_many_addresses(one: str, other: str) -> None:
    assert worktree.address(one) == worktree.address(other)


def test_another_repository_has_another_address() -> None:
    assert worktree.address("git@github.com:acme/api") != worktree.address("git@github.com:acme/web")
    assert worktree.address("https://github.com/acme/api") != worktree.address("https://gitlab.com/acme/api")


@given(st.text(max_size=100) | st.text("deploy: {}[]secrt-x\n", max_size=60).map(lambda text: RECIPE + text))
def test_any_text_is_checked(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        (Path(folder) / "deploy.yml").write_bytes(text.encode(errors="surrogatepass"))
        assert main(["check", folder]) in (0, 1)
