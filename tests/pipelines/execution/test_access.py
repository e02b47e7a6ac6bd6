"""Every way in which a repository cannot be reached has its name: what git and ssh really say, some of it made them say
here."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.domain.ref_problems import GitFailed, SourceError
from pipelines.execution.access import Trouble, advice, trouble
from pipelines.execution.source import Processes, git_version, reach
from tests.support.repository import Repository

NOBODY = f"{'x' * 64}.invalid"  # a name that no name server has to be asked for: it is too long
HTTPS, SSH = "https://github.com/acme/api.git", "git@github.com:acme/api.git"


@pytest.mark.parametrize(
    ("detail", "repo", "kind"),
    [
        ("git is not installed", HTTPS, Trouble.NO_GIT),
        ("unable to access 'https://x/': Could not resolve host: github.com", HTTPS, Trouble.NAME),
        ("ssh: Could not resolve hostname github.com: Temporary failure in name resolution", SSH, Trouble.NAME),
        ("unable to access 'https://x/': Could not resolve proxy: proxy.acme", HTTPS, Trouble.PROXY),
        ("unable to access 'https://x/': Received HTTP code 407 from proxy after CONNECT", HTTPS, Trouble.PROXY),
        ("unable to access 'https://x/': CONNECT tunnel failed, response 403", HTTPS, Trouble.PROXY),
        ("Failed to connect to proxy.acme port 3128 after 0 ms: Couldn't connect to server", HTTPS, Trouble.PROXY),
        ("Failed to connect to github.com port 443 after 21 ms: Couldn't connect to server", HTTPS, Trouble.AWAY),
        ("Host key verification failed.; Could not read from remote repository", SSH, Trouble.HOST_KEY),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", SSH, Trouble.HOST_KEY),
        ("No ED25519 host key is known for github.com and you have requested strict checking", SSH, Trouble.HOST_KEY),
        ("SSL certificate problem: unable to get local issuer certificate", HTTPS, Trouble.CERTIFICATE),
        ("server certificate verification failed. CAfile: none CRLfile: none", HTTPS, Trouble.CERTIFICATE),
        ("detected dubious ownership in repository at '/srv/api'", "/srv/api", Trouble.OWNER),
        ("remote: Repository not found.; repository 'https://x/' not found", HTTPS, Trouble.NOT_FOUND),
        ("ERROR: Repository not found.; Could not read from remote repository", SSH, Trouble.NOT_FOUND),
        ("could not read Username for 'https://github.com': terminal prompts disabled", HTTPS, Trouble.CREDENTIALS),
        ("Authentication failed for 'https://github.com/acme/api.git/'", HTTPS, Trouble.CREDENTIALS),
        ("git@github.com: Permission denied (publickey)", SSH, Trouble.CREDENTIALS),
        ("unable to access 'https://x/': The requested URL returned error: 403", HTTPS, Trouble.CREDENTIALS),
        ("unable to access 'https://x/': The requested URL returned error: 404", HTTPS, Trouble.NOT_FOUND),
        ("unable to access 'https://x/': The requested URL returned error: 503", HTTPS, Trouble.AWAY),
        ("ssh: connect to host github.com port 22: Connection timed out", SSH, Trouble.AWAY),
        ("ssh: connect to host github.com port 22: No route to host", SSH, Trouble.AWAY),
        ("it did not finish in 10 s", SSH, Trouble.SLOW),
        ("remote helper 'x' aborted session", HTTPS, Trouble.OTHER),
    ],
)
def test_what_git_complains_of_has_a_kind(detail: str, repo: str, kind: Trouble) -> None:
    assert trouble(detail, repo) is kind


@pytest.mark.parametrize("kind", list(Trouble))
def test_every_kind_says_what_to_do(kind: Trouble) -> None:
    assert len(advice(kind)) > 30


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def refused(repo: str, limit: float = 10.0) -> Trouble:
    with pytest.raises(SourceError) as caught:
        reach(Processes(), repo, limit)
    assert isinstance(caught.value.problem, GitFailed)
    return trouble(caught.value.problem.detail, repo)


def test_real_failures_have_their_kinds(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused("/nowhere/at/all") is Trouble.NOT_FOUND
    assert refused("https://127.0.0.1:9/api.git") is Trouble.AWAY
    assert refused("ssh://git@127.0.0.1:9/api.git") is Trouble.AWAY
    assert refused(f"https://{NOBODY}/api.git") is Trouble.NAME
    assert refused(f"ssh://git@127.0.0.1:{silent}/api.git", limit=0.5) is Trouble.SLOW
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert refused(f"https://{NOBODY}/api.git") is Trouble.PROXY
    monkeypatch.setenv("PATH", "/nowhere")
    assert refused("/nowhere/at/all") is Trouble.NO_GIT
    assert git_version() is None


def test_a_repository_that_answers_leaves_nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(tmp_path / "api")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert reach(Processes(), repository.url, 10) is False
    repository.commit()
    assert reach(Processes(), str(repository.folder), 10) is True
    assert list((tmp_path / "here").iterdir()) == []


def test_a_password_is_in_no_complaint() -> None:
    with pytest.raises(SourceError) as caught:
        reach(Processes(), f"https://ana:hunter2@{NOBODY}/api.git", 10)
    assert "hunter2" not in str(caught.value) and "hunter2" not in repr(caught.value.problem)
