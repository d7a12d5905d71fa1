"""The policy file: rules in YAML, read strictly, so that a slip never turns a rule off in silence (`media.md` §7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import yaml

from understudy.domain.errors import OperatorError
from understudy.moderation.matching import compile_pattern
from understudy.moderation.normalise import compact_form, own_form

VERSION = 1

# What PyYAML raises for text that is none, its own errors and those that slip out of its readers of dates and tags.
_NOT_YAML = (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError)
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_FIELDS = ("id", "message", "languages", "action", "phrases", "patterns", "allow")


class _PolicyFault(Exception):  # noqa: N818 - private: it becomes an OperatorError that also names the file
    """What is wrong with a document."""


class Action(StrEnum):
    """What a hit does: end the task, or let it pass with a mark for the operator."""

    BLOCK = "block"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `message` is the caller's sentence; `languages` tell people what was thought of.

    `allow` are phrases that are taken out of the prompt before this rule looks at it.
    """

    id: str
    message: str
    action: Action
    phrases: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def load_policy(path: Path | None = None) -> tuple[Rule, ...]:
    """Read the policy file, or the one that comes with the package.

    Raises `OperatorError` that names the file, the rule and the field, and says what is allowed there.
    """
    if path is None:
        return read_policy(files("understudy.moderation").joinpath("default_policy.yaml").read_text("utf-8"), "default")
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise OperatorError(f"The policy file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OperatorError(f"The policy file {path} is not text in UTF-8") from None
    return read_policy(text, str(path))


def read_policy(text: str, name: str) -> tuple[Rule, ...]:
    """Read the text of a policy file called `name`. Raises `OperatorError` as `load_policy` does."""
    try:
        document = yaml.safe_load(text)
    except _NOT_YAML as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise OperatorError(f"The policy file {name} is not YAML{where}") from None
    try:
        return _read_rules(document)
    except _PolicyFault as error:
        raise OperatorError(f"The policy file {name}: {error}") from None


def _read_rules(document: object) -> tuple[Rule, ...]:
    if not isinstance(document, dict) or set(document) != {"version", "rules"}:
        raise _PolicyFault("it must hold version and rules, and nothing else")
    if document["version"] != VERSION or isinstance(document["version"], bool):
        raise _PolicyFault(f"version must be {VERSION}")
    if not isinstance(document["rules"], list):
        raise _PolicyFault("rules must be a list")
    rules = tuple(_read_rule(fields, f"rule {number}") for number, fields in enumerate(document["rules"], 1))
    ids = [rule.id for rule in rules]
    for rule_id in ids:
        if ids.count(rule_id) > 1:
            raise _PolicyFault(f"rule {rule_id}: id must be of one rule only")
    return rules


def _read_rule(fields: object, place: str) -> Rule:
    if not isinstance(fields, dict):
        raise _PolicyFault(f"{place} must be a mapping with id, message, action and phrases or patterns")
    rule_id = fields.get("id")
    if not isinstance(rule_id, str) or _ID.match(rule_id) is None:
        raise _PolicyFault(f"{place}: id must be lower-case words joined by hyphens, such as explicit-sexual")
    place = f"rule {rule_id}"
    unknown = [str(name) for name in fields if name not in _FIELDS]
    if unknown:
        raise _PolicyFault(f"{place}: {unknown[0]} is not a field; there are {', '.join(_FIELDS)}")
    message = fields.get("message")
    if not isinstance(message, str) or not message.strip():
        raise _PolicyFault(f"{place}: message must be a sentence for the caller")
    if fields.get("action") not in tuple(Action):
        raise _PolicyFault(f"{place}: action must be block or flag")
    rule = Rule(
        id=rule_id,
        message=message.strip(),
        action=Action(fields["action"]),
        phrases=_texts(fields, "phrases", place),
        patterns=_texts(fields, "patterns", place),
        allow=_texts(fields, "allow", place),
        languages=_texts(fields, "languages", place),
    )
    _check_rule(rule, place)
    return rule


def _texts(fields: Mapping[object, object], name: str, place: str) -> tuple[str, ...]:
    values = fields.get(name, [])
    if not isinstance(values, list):
        raise _PolicyFault(f"{place}: {name} must be a list")
    for number, value in enumerate(values, 1):
        # YAML reads a bare `no` or `007` as something else than text.
        if not isinstance(value, str) or not value.strip():
            raise _PolicyFault(f"{place}: {name}, entry {number}, must be text; write it in quotes")
    return tuple(values)


def _check_rule(rule: Rule, place: str) -> None:
    if not rule.phrases and not rule.patterns:
        raise _PolicyFault(f"{place}: phrases or patterns must have an entry")
    for name, phrases in (("phrases", rule.phrases), ("allow", rule.allow)):
        for number, phrase in enumerate(phrases, 1):
            if not compact_form(own_form(phrase)):
                raise _PolicyFault(f"{place}: {name}, entry {number}, must hold a letter or a digit")
    for number, pattern in enumerate(rule.patterns, 1):
        try:
            matches_nothing = compile_pattern(pattern).search("") is not None
        except ValueError as error:
            raise _PolicyFault(f"{place}: patterns, entry {number}, must be an RE2 pattern: {error}") from None
        if matches_nothing:
            raise _PolicyFault(
                f"{place}: patterns, entry {number}, matches the empty text, so it would hit every prompt"
            )
