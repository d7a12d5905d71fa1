"""The policy file, read strictly."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.domain.errors import OperatorError
from understudy.moderation.policy import Action, Rule, load_policy, read_policy

COMPLETE = """
version: 1
rules:
  - id: brass-2
    message: " No trombones. "
    languages: [en, de]
    action: flag
    phrases: ["trombone", "Posaune"]
    patterns: ['\\bslide\\b']
    allow: ["toy trombone"]
  - id: other
    message: "No."
    action: block
    phrases: ["x"]
"""


def one_rule(**fields: str) -> str:
    """Write a policy of one rule with YAML values; None leaves a field out."""
    values = {"id": "brass", "message": "No trombones.", "action": "block", "phrases": "[trombone]"} | fields
    return "version: 1\nrules:\n  - " + "\n    ".join(f"{name}: {value}" for name, value in values.items() if value)


def test_every_field_is_read() -> None:
    first, second = read_policy(COMPLETE, "test")

    assert first == Rule(
        id="brass-2",
        message="No trombones.",
        action=Action.FLAG,
        phrases=("trombone", "Posaune"),
        patterns=(r"\bslide\b",),
        allow=("toy trombone",),
        languages=("en", "de"),
    )
    assert second == Rule(id="other", message="No.", action=Action.BLOCK, phrases=("x",))


def test_a_policy_may_have_no_rules() -> None:
    assert read_policy("version: 1\nrules: []", "test") == ()


def test_a_file_is_read_from_where_the_operator_put_it(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(one_rule(phrases='["禁断"]'), "utf-8")

    assert load_policy(file)[0].phrases == ("禁断",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it must hold version and rules, and nothing else"),
        ("[]", "it must hold version and rules"),
        ("version: 1", "it must hold version and rules"),
        ("version: 1\nrules: []\nextra: 1", "nothing else"),
        ("version: 2\nrules: []", "version must be 1"),
        ("version: true\nrules: []", "version must be 1"),
        ("version: 1\nrules: {}", "rules must be a list"),
        ("version: 1\nrules: [trombone]", "rule 1 must be a mapping"),
        ("version: 1\nrules:\n  - id: [", "not YAML in line 3"),
        ("\x00", "not YAML"),
        ("!!python/object/apply:os.system [ls]", "not YAML in line 1"),
        ("version: 2001-99-99", "not YAML"),
        ("version: !!timestamp x", "not YAML"),
        ("version: !!bool x", "not YAML"),
        ("[" * 10_000, "not YAML"),
        (one_rule(id=""), "rule 1: id must be"),
        (one_rule(id="Brass"), "rule 1: id must be"),
        (one_rule(id="7"), "rule 1: id must be"),
        (one_rule(phrase="[x]"), "rule brass: phrase is not a field; there are id, message"),
        (one_rule(message=""), "rule brass: message must be a sentence"),
        (one_rule(message="' '"), "rule brass: message must be a sentence"),
        (one_rule(action=""), "rule brass: action must be block or flag"),
        (one_rule(action="allow"), "rule brass: action must be block or flag"),
        (one_rule(phrases=""), "rule brass: phrases or patterns must have an entry"),
        (one_rule(phrases="[]"), "rule brass: phrases or patterns must have an entry"),
        (one_rule(phrases="trombone"), "rule brass: phrases must be a list"),
        (one_rule(phrases="[a, no]"), "rule brass: phrases, entry 2, must be text; write it in quotes"),
        (one_rule(phrases="[007]"), "rule brass: phrases, entry 1, must be text"),
        (one_rule(phrases="['']"), "rule brass: phrases, entry 1, must be text"),
        (one_rule(phrases="['!?']"), "rule brass: phrases, entry 1, must hold a letter or a digit"),
        (one_rule(allow="['...']"), "rule brass: allow, entry 1, must hold a letter or a digit"),
        (one_rule(languages="en"), "rule brass: languages must be a list"),
        (one_rule(patterns="['(']"), "rule brass: patterns, entry 1, must be an RE2 pattern: missing )"),
        (
            one_rule(patterns="['(?=a)']"),
            "rule brass: patterns, entry 1, must be an RE2 pattern: invalid perl operator",
        ),
        (one_rule(patterns="['(((a{1,99}){1,99}){1,99})']"), "rule brass: patterns, entry 1, must be an RE2 pattern"),
        (one_rule(patterns="['b', 'a*']"), "rule brass: patterns, entry 2, matches the empty text"),
        (one_rule() + "\n" + one_rule().split("rules:\n")[1], "rule brass: id must be of one rule only"),
    ],
)
def test_a_bad_file_is_refused_with_the_rule_and_the_field(text: str, told: str) -> None:
    with pytest.raises(OperatorError) as caught:
        read_policy(text, "mine.yaml")

    assert str(caught.value).startswith("The policy file mine.yaml")
    assert told in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"nowhere\.yaml cannot be read: No such file"):
        load_policy(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    file = tmp_path / "latin1.yaml"
    file.write_bytes("é".encode("latin-1"))

    with pytest.raises(OperatorError, match=r"latin1\.yaml is not text in UTF-8"):
        load_policy(file)


@given(st.text() | st.from_regex(r"version: 1\nrules:\n  - (\w+: [\w\[\]{}'\"]*\n    ){0,5}", fullmatch=True))
def test_any_text_is_a_policy_or_an_operator_error(text: str) -> None:
    refusal = "The policy file"
    try:
        read_policy(text, "test")
    except OperatorError as error:
        refusal = str(error)

    assert refusal.startswith("The policy file")
