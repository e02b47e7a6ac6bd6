"""Every refusal has a sentence with its evidence in it and a way on; help fits the configuration."""

from handlers.chat import words
from handlers.chat.answers import accepted_card, misread_card, refusal_card
from handlers.chat.grammar import parse
from handlers.chat.help_card import help_card
from handlers.chat.sentences import Misread
from handlers.chat.status_card import status_card
from handlers.chat.times import clock, span
from handlers.chat.verbs import VERBS
from handlers.terminal import render
from pipelines.domain.commands import Help
from pipelines.domain.refusals import Accepted, Code, Gate, Offer, Refusal
from pipelines.domain.room import Live, TargetState, Traffic
from pipelines.domain.views import RoomView, StatusView
from tests.support.domain import NOON, after, config

EVIDENCE: dict[str, str | tuple[str, ...]] = {
    "kind": "guest",
    "who": ("ana", "raj"),
    "group": ("@api",),
    "given": "v9",
    "known": ("api", "web"),
    "near": ("v1.4",),
    "reason": "holds '~'",
    "candidates": ("tag x (1)", "branch x (2)"),
    "detail": "The repository does not answer.",
    "errors": ("deploy.yml:3: no",),
    "by": "raj",
    "since": NOON.isoformat(),
    "at": NOON.isoformat(),
    "version": "v1.4",
    "deploy": "d",
    "to": "v1.3",
    "step": "install on a",
    "good": ("v1.3",),
    "choices": ("api v1 in staging", "web v2 in staging"),
    "state": "live",
    "channel": "#deploys",
    "name": "plan",
    "id": "abc",
    "where": "staging",
    "service": "api",
    "action": "rollback",
    "names": ("DATABASE_URL", "API_KEY"),
    "problems": ("API_KEY: there is no file /s/API_KEY; write the value into it",),
}

GIVEN = (Code.NO_SECRETS_FROM, Code.SECRETS_MISSING, Code.NOT_PASSED)


def test_every_code_has_a_sentence_with_and_without_evidence() -> None:
    for code in Code:
        full = words.sentence(Gate(code=code, evidence=EVIDENCE), after(120))
        assert len(full) > 20 and full[-1] in ".?!`o", (code, full)
        plain = full.replace(words.SECRETS_FROM, "")
        assert "{" not in plain and "None" not in plain


def test_a_busy_room_is_told_with_who_since_when_and_the_way_on() -> None:
    gate = Gate(code=Code.ROOM_BUSY, evidence=EVIDENCE)
    assert words.sentence(gate, after(120)) == (
        "api is being deployed to staging: v1.4 by raj, for 2 min. Wait for it, or end it: `/deploy abort api staging`."
    )


def test_what_scripts_are_to_be_given_and_is_not_there_is_told_with_its_path_and_the_way_on() -> None:
    told = [words.sentence(Gate(code=code, evidence=EVIDENCE), NOON) for code in GIVEN]
    assert told == [
        "deploy.yml names the secrets DATABASE_URL and API_KEY, but the bot's configuration does not say where those "
        f"of staging are. Write {words.SECRETS_FROM} there, under its environment staging.",
        "These secrets of api cannot be read for staging:\nAPI_KEY: there is no file /s/API_KEY; write the value into "
        "it\nPut each value into its file, readable by the bot's user, then ask again.",
        "What `pass_env` hands to scripts in staging cannot be given:\nAPI_KEY: there is no file /s/API_KEY; write the "
        "value into it\nStart the bot with the variable, or change `pass_env` in its configuration.",
    ]


def test_a_refusal_names_every_gate_and_offers_its_buttons() -> None:
    offer = Offer(label="Roll back to v1.3", say="rollback api staging to v1.3", action="rollback_now")
    gates = (Gate(code=Code.ROOM_BUSY, evidence=EVIDENCE), Gate(code=Code.CANNOT_POST, evidence=EVIDENCE))
    refusal = Refusal(gates=gates, offers=(offer,))
    card = refusal_card(refusal, NOON)
    assert "/invite" in card.lines[0] and [b.label for b in card.buttons] == ["Roll back to v1.3"]
    assert render.refusal(card)[-1] == "  [Roll back to v1.3] rollback api staging to v1.3"
    said = parse(card.buttons[0].say)
    assert not isinstance(said, Misread)


def test_help_fits_the_configuration_and_every_line_of_it_works() -> None:
    for topic in (None, *(verb.name for verb in VERBS if verb.built)):
        card = help_card(Help(topic=topic), config())
        assert card.lines and "{" not in " ".join(card.lines)
        for line in card.lines:
            assert not isinstance(parse(line.split(" — ")[0]), Misread), line
    assert "not built" in help_card(Help(topic="lock"), config()).title


def test_status_shows_what_is_live_and_lists_targets_that_disagree() -> None:
    live = RoomView(
        service="api",
        environment="staging",
        live=Live(version="v1.4", commit="0" * 40, since=NOON),
        by="ana",
        targets={"a": TargetState(version="v1.4")},
    )
    mixed = RoomView(
        service="api",
        environment="production",
        targets={"a": TargetState(version="v1.4"), "b": TargetState(traffic=Traffic.OUT)},
    )
    card = status_card(StatusView(rooms=(live, mixed, RoomView(service="web", environment="staging"))), NOON)
    assert card.lines == (
        "api in staging: v1.4 since 12:00 UTC by ana",
        "api in production: mixed",
        "    a: v1.4",
        "    b: nobody knows, out of traffic",
        "web in staging: nobody knows; nothing was deployed here yet",
    )
    assert "no service" in status_card(StatusView(rooms=()), NOON).title


def test_answers_to_one_person() -> None:
    assert misread_card(Misread(sentence="What?"), "", config()).lines[0] == "/deploy api latest staging"
    assert "ended first" in accepted_card(Accepted(deploy="d", done="abort_then"), None).title


def test_spans_and_moments() -> None:
    assert [span(s) for s in (-1, 0.44, 42.4, 59.6, 725, 3_600, 11_100, 200_000)] == [
        "0.0 s",
        "0.4 s",
        "42 s",
        "60 s",
        "12 min",
        "1 h",
        "3 h 5 min",
        "2 days",
    ]
    assert clock(NOON, after(86_400)) == "2026-03-02 12:00 UTC"
