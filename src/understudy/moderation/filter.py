"""The phrase filter. It answers with the id of a rule and never with the text that was found, nor is that logged."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from understudy.moderation.matching import Phrases, compile_pattern
from understudy.moderation.normalise import Forms, read_forms
from understudy.moderation.policy import Action, Rule, load_policy

NOTICE = (
    "phrase filter only; it does not understand meaning, does not look at images or results, and is easy to evade; "
    "configure a moderation provider before opening this to strangers"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a prompt may be made into a film.

    If not, `rule_id` is for the operator and `message` a sentence for the caller. `flags` are the ids of the rules
    that only mark, in the order of the file.
    """

    allowed: bool
    rule_id: str | None = None
    message: str | None = None
    flags: tuple[str, ...] = ()


class Moderator(Protocol):
    """Judges prompts: the phrase filter today, a provider tomorrow."""

    async def check(self, prompt: str) -> Verdict:
        """Return the verdict on a prompt."""


@dataclass(frozen=True, slots=True)
class _Check:
    rule: Rule
    phrases: Phrases
    allow: Phrases
    patterns: tuple[Any, ...]

    @classmethod
    def of(cls, rule: Rule) -> "_Check":
        patterns = tuple(compile_pattern(pattern) for pattern in rule.patterns)
        return cls(rule, Phrases.of(rule.phrases), Phrases.of(rule.allow), patterns)

    def hits(self, forms: Forms) -> bool:
        forms = self.allow.taken_out_of(forms) if self.rule.allow else forms
        if self.phrases.found_in(forms):
            return True
        texts = dict.fromkeys((forms.own, *forms.latin))
        return any(pattern.search(text) is not None for pattern in self.patterns for text in texts)


class LocalPolicy:
    """The rules of a policy file, ready to be asked. It needs no network and holds no state."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._checks = tuple(_Check.of(rule) for rule in rules)

    @classmethod
    def load(cls, path: Path | None = None) -> "LocalPolicy":
        """Read the policy file, or the package's own. Raises `OperatorError` for a file that breaks its rules."""
        return cls(load_policy(path))

    def check(self, prompt: str) -> Verdict:
        """Return the verdict: the first blocking rule that hits refuses the prompt. Never raises on any text."""
        forms = read_forms(prompt)
        hits = [check.rule for check in self._checks if check.hits(forms)]
        flags = tuple(rule.id for rule in hits if rule.action is Action.FLAG)
        for rule in hits:
            if rule.action is Action.BLOCK:
                return Verdict(allowed=False, rule_id=rule.id, message=rule.message, flags=flags)
        return Verdict(allowed=True, flags=flags)


class LocalModerator:
    """`LocalPolicy` as a `Moderator`.

    It asks in a thread: a prompt takes about a millisecond, but 5000 characters that each stand for a sentence take
    seventy, and the event loop serves others.
    """

    def __init__(self, policy: LocalPolicy) -> None:
        self._policy = policy

    async def check(self, prompt: str) -> Verdict:
        """Return the policy's verdict."""
        return await asyncio.to_thread(self._policy.check, prompt)
