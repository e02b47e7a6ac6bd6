"""The bot's configuration: values as they were written, mistakes with their lines, nothing accepted and ignored."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalog import ConfigErrors, load_config, parse_config
from pipelines.catalog.config import ENVIRONMENT, ENVIRONMENT_LATER
from pipelines.domain.model import Environment, Target

LEAST = "services:\n  api: {repo: https://github.com/acme/api.git}\nenvironments:\n  staging: {}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse_config(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_least_configuration() -> None:
    config = parse_config(LEAST)
    assert config.services["api"].targets_in("staging") == (Target(name="staging"),)
    assert config.who_may_deploy("api", "staging") is None


def test_scalars_keep_what_was_written() -> None:
    text = (
        "services:\n  api: {repo: /r, tags: 1.10, targets: {staging: [no, 0755, 22.30]}}\nenvironments: {staging: }\n"
    )
    config = parse_config(text)
    assert config.services["api"].tags == "1.10"
    assert [t.name for t in config.services["api"].targets_in("staging")] == ["no", "0755", "22.30"]


def test_a_repository_path_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "shipmate.yml").write_text("services: {api: {repo: ../api}}\nenvironments: {staging: {}}\n")
    assert load_config(tmp_path / "shipmate.yml").services["api"].repo == str((tmp_path / "../api").resolve())


def test_regions_are_kept_with_their_targets() -> None:
    config = parse_config(
        "services: {api: {repo: /r, targets: {staging: {eu: [a], us: [b, c]}}}}\nenvironments: {staging: {}}"
    )
    assert [(t.name, t.region) for t in config.services["api"].targets_in("staging")] == [
        ("a", "eu"),
        ("b", "us"),
        ("c", "us"),
    ]


def test_a_file_that_is_not_there_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="SHIPMATE_CONFIG"):
        load_config(tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("servces: {}", "shipmate.yml:1: `servces` is not a key of the configuration. Did you mean `services`?"),
        ("services: {Api: {repo: /r}}\nenvironments: {a: {}}", "shipmate.yml:1: `Api` cannot be a name"),
        ("services: {deploy: {repo: /r}}\nenvironments: {a: {}}", "shipmate.yml:1: `deploy` is a word of the commands"),
        ("services: {api: {}}\nenvironments: {a: {}}", "shipmate.yml:1: `api` has no `repo`"),
        (
            "services: {api: {repo: 'ext::sh -c x'}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `ext::sh -c x` is no address",
        ),
        ("services: {api: {repo: -x}}\nenvironments: {a: {}}", "shipmate.yml:1: `-x` is no address"),
        (
            "services: {api: {repo: /r, path: ../x}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `path` must be a folder inside",
        ),
        (
            "services: {api: {repo: /r, steps: [x]}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `steps` is not a key of a service",
        ),
        (
            "services: {api: {repo: /r, environments: {b: {}}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `b` is not an environment. Known here: a.",
        ),
        (
            "services: {api: {repo: /r, environments: {a: {approve: x}}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `approve` is not enforced by this version yet",
        ),
        ("environments: {a: {pass_env: [HOME]}}", "shipmate.yml:1: `HOME` is given to every script by Shipmate itself"),
        ("environments: {a: {pass_env: [DATABASE_URL]}}", "shipmate.yml:1: `DATABASE_URL` is the bot's own and is giv"),
        ("environments:\n  a:\n    pass_env:\n    - A\n    - B=hush", "shipmate.yml:5: this is not the name of a vari"),
        (
            "environments: {a: {secrets_from: 'ref+vault://staging/{service}#/{name}'}}",
            "shipmate.yml:1: `ref+vault://staging/{service}#/{name}` is not enforced by this version yet: of `ref",
        ),
        (
            "environments: {a: {secrets_from: /s/x}}",
            "shipmate.yml:1: `/s/x` does not say where secrets are; write file:",
        ),
        (
            "environments: {a: {secrets_from: 'file://s/{name}'}}",
            "shipmate.yml:1: `file://s/{name}` is no path from the",
        ),
        (
            "environments: {a: {secrets_from: 'file:///s/{nam}'}}",
            "shipmate.yml:1: `file:///s/{nam}` has `{nam}` in it, w",
        ),
        (
            "environments: {a: {secrets_from: 'file:///s/{name'}}",
            "shipmate.yml:1: `file:///s/{name` has `{name` in it, w",
        ),
        ("environments: {a: {secrets_from: 'file:///s'}}", "shipmate.yml:1: `file:///s` has no {name} in it, so every"),
        ("services: {api: {repo: /r}}", "shipmate.yml:1: there is no environment"),
        (
            "services: {api: {repo: /r, targets: {b: [x]}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `b` is not an environment",
        ),
        (
            "services: {api: {repo: /r, targets: {a: [x, x]}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `x` is a target of a tw",
        ),
        (
            "services: {api: {repo: /r, targets: {a: []}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: the targets of a must be a",
        ),
        (
            "services: {api: {repo: /r, targets: {a: [x y]}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `x y` cannot be a target",
        ),
        (
            "services: {api: {repo: /r, targets: {a: {blue: [x]}}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `blue` and `green`",
        ),
        ("environments: {a: {protected: yes}}", "shipmate.yml:1: `protected` must be true or false, not `yes`"),
        ("groups: {api: [ana]}", "shipmate.yml:1: the name of a group begins with @"),
        ("people: {ana: {slack: '@ana'}}", "shipmate.yml:1: `@ana` is no Slack user id"),
        ("people: {ana: {github: x}}", "shipmate.yml:1: `github` is not enforced by this version yet"),
        ("people: {ana: U024BE7LH}", "shipmate.yml:1: write it as `ana: {slack: U024BE7LH}`"),
        ("people: {ana: {}}", "shipmate.yml:1: `ana` has no Slack user id; write `ana: {slack: U024BE7LH}`"),
        ("people: {ana: {slack: U1AA}, raj: {slack: U1AA}}", "shipmate.yml:1: `U1AA` is ana already"),
        ("groups: {'@all': ['@api', ana]}", "shipmate.yml:1: `@api` is a group, and a group lists people"),
        ("groups: {'@': [ana]}", "shipmate.yml:1: `@` cannot be the name of a group"),
        ("environments: {a: {deployers: ana, raj}}", "shipmate.yml:1: `raj` is not a key of an environment"),
        ("environments:\n  a:\n    deployers: ana, raj", "shipmate.yml:3: `ana, raj` is no name; `deployers` takes"),
        ("environments: {a: {deployers: [ana@acme.com]}}", "shipmate.yml:1: `ana@acme.com` is an address"),
        ("environments: {a: {deployers: '#api'}}", "shipmate.yml:1: `#api` is a channel; `deployers` takes people"),
        ("environments: {a: {deployers: '<@U1>'}}", "shipmate.yml:1: `<@U1>` is no name"),
        ("environments: {'#deploys': {}}", "shipmate.yml:1: `#deploys` is a channel; it belongs under `channel:`"),
        (
            "services:\n  api:\n    repo: /r\n    channel: #deploys\nenvironments: {a: {}}",
            'shipmate.yml:4: a # begins a comment, so `channel` says nothing; quote it, as in "#deploys"',
        ),
        (
            "services: {api: {repo: /r, channel: a}}\nenvironments: {a: {}}",
            'shipmate.yml:1: `a` is an environment; a channel is written as "#deploys"',
        ),
        (
            "services: {api: {repo: /r, channel: deploys}}\nenvironments: {a: {}}",
            'shipmate.yml:1: `deploys` is no channel; write its name as in "#deploys"',
        ),
        (
            "services: {api: {repo: /r, targets: {'#b': [x]}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: `#b` is a channel, and targets belong to an environment",
        ),
        (
            "environments: {a: }\nservices: {api: {repo: /r, targets: {a: {\n  eu: [x],\n  us: [y, x]}}}}",
            "shipmate.yml:4: `x` is a target of a twice; the first is in line 3",
        ),
        (
            "services: {api: {repo: /r, targets: {a: {}}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: the targets of a must be a list",
        ),
        (
            "services: {api: {repo: /r, targets: {a: []}}}\nenvironments: {a: {}}",
            "shipmate.yml:1: the targets of a must be a list such as [stg-1, stg-2], not an empty list",
        ),
        (
            "services:\n  api:\n    repo: /r\n    deploy: x.sh\nenvironments: {a: {}}",
            "shipmate.yml:4: `deploy` belongs in deploy.yml, in the service's own repository",
        ),
        (
            "environments: {a: {deployers: [@api, ana]}}",
            'shipmate.yml:1: a value that begins with @ must be quoted: quote it, as in "@api"',
        ),
        ("groups:\n  @api: [ana]", 'shipmate.yml:2: a value that begins with @ must be quoted: quote it, as in "@api"'),
        (
            "environments: {a: {protected: " + "x" * 6_000 + "}}",
            f"shipmate.yml:1: `protected` must be true or false, not `{'x' * 119}…`",
        ),
        ("", "shipmate.yml:1: this file says nothing; the least is"),
        ("# only a comment", "shipmate.yml:1: this file says nothing; the least is"),
        ("services: [api]", "shipmate.yml:1: `services` must be a mapping from names, not a list"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(text)), problems(text)


@pytest.mark.parametrize("key", ENVIRONMENT_LATER)
def test_what_is_not_enforced_yet_is_refused_by_name(key: str) -> None:
    assert problems(f"environments:\n  a:\n    {key}: x\n") == [
        f"shipmate.yml:3: `{key}` is not enforced by this version yet; remove it for now"
    ]


NEARER = """
services:
  api:
    repo: /r
    owners: [ana]
    environments:
      production: {deployers: [raj], secrets_from: "file:///api/{name}"}
  web: {repo: /w, owners: [mia]}
environments:
  staging: {pass_env: [SSH_AUTH_SOCK, HTTPS_PROXY]}
  production: {protected: true, secrets_from: "file:///s/{service}/{environment}/{name}"}
"""


def test_what_is_said_for_one_service_is_nearer() -> None:
    config = parse_config(NEARER)
    assert config.who_may_deploy("api", "production") == ("raj",)
    assert config.who_may_deploy("web", "production") == ("mia",)
    assert config.environment("api", "production").protected
    assert config.environment("api", "production").reference("api", "KEY") == "file:///api/KEY"
    assert config.environment("web", "production").reference("web", "KEY") == "file:///s/web/production/KEY"
    assert config.environment("api", "staging").pass_env == ("SSH_AUTH_SOCK", "HTTPS_PROXY")
    assert config.environment("api", "staging").reference("api", "KEY") == ""


SAID = {
    "protected": st.sampled_from(["true", "false"]),
    "deployers": st.sampled_from(["[]", "[ana]", '["@api", raj]']),
    "pass_env": st.sampled_from(["[A]", "[A, b_2]", "[]"]),
    "secrets_from": st.sampled_from(["file:///a/{name}", "file:///{service}/{environment}-{name}"]),
}


@given(st.fixed_dictionaries({}, optional=SAID), st.fixed_dictionaries({}, optional=SAID))
def test_of_two_places_the_nearer_wins_key_by_key(general: dict[str, str], nearer: dict[str, str]) -> None:
    def environment(said: dict[str, str], nearer: dict[str, str]) -> Environment:
        lines = [f"    {key}: {value}" for key, value in said.items()]
        near = [f"        {key}: {value}" for key, value in nearer.items()]
        text = "\n".join(
            [
                "environments:",
                "  a:",
                *lines,
                "services:",
                "  x:",
                "    repo: /r",
                "    environments:",
                "      a:",
                *near,
            ]
        )
        return parse_config(text).environment("x", "a")

    assert set(SAID) == set(ENVIRONMENT)
    assert environment(general, nearer) == environment({**general, **nearer}, {})


def test_a_password_in_an_address_is_not_repeated() -> None:
    text = "services: {api: {repo: 'http://ana:hunter2@host/api.git'}}\nenvironments: {a: {}}"
    assert "`http://[redacted]@host/api.git` is no address" in problems(text)[0]


def test_names_that_nobody_lists_may_be_somebody_in_slack() -> None:
    config = parse_config("environments: {a: {protected: true, deployers: [zoe.b, U024BE7LH, '@sre-team']}}")
    assert config.environments["a"].deployers == ("zoe.b", "U024BE7LH", "@sre-team")


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_problems(text: str) -> None:
    try:
        parse_config(text)
    except ConfigErrors as errors:
        assert errors.problems


def test_only_services_may_not_be_called_as_a_verb_is() -> None:
    assert list(parse_config("environments: {test: {}, plan: {}}").environments) == ["test", "plan"]
    assert problems("services: {plan: {repo: /r}}\nenvironments: {a: {}}")[0].startswith(
        "shipmate.yml:1: `plan` is a word"
    )
    assert problems("environments: {to: {}}")[0].startswith("shipmate.yml:1: `to` is a word")
