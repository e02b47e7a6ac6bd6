"""The example configuration is documentation and schema at once: it is valid as it is and with all of it turned on."""

import re
from pathlib import Path

from pipelines.catalog import load_config, parse_config
from pipelines.catalog.config import ENVIRONMENT, SERVICE, TOP

EXAMPLE = Path(__file__).parents[3] / "config" / "shipmate.yml"


def turned_on() -> str:
    """The example with the comment taken off every line that is configuration."""
    text = EXAMPLE.read_text().replace("services: {}\n", "services:\n")
    return re.sub(r'^# (?= *(?:"@|[a-z_]+:))', "", text, flags=re.MULTILINE)


def test_the_example_is_valid_as_it_is() -> None:
    config = load_config(EXAMPLE)
    assert not config.services
    assert [name for name, one in config.environments.items() if one.protected] == ["production"]


def test_the_example_is_valid_with_every_key_turned_on() -> None:
    config = parse_config(turned_on())
    api = config.services["api"]
    assert api.channel == "#deploys" and api.owners == ("@api",)
    assert [(t.name, t.region) for t in api.targets_in("production")][:1] == [("eu-1:8080", "eu")]
    production = config.environments["production"]
    assert production.deployers == ("ana", "@release") and production.pass_env == ("SSH_AUTH_SOCK",)
    assert production.reference("api", "TOKEN") == "file:///etc/shipmate/secrets/api/production/TOKEN"
    assert config.environment("api", "production").deployers == ("ana",)
    assert config.people == {"ana": "U024BE7LH"} and config.groups == {"@api": ("ana", "raj")}


def test_the_example_names_every_key_that_is_enforced() -> None:
    text = EXAMPLE.read_text()
    for key in (*TOP, *SERVICE, *ENVIRONMENT):
        assert re.search(rf"\b{key}:", text), key
