"""Policies for tests, with made-up phrases."""

from collections.abc import Callable

import pytest

from understudy.moderation.filter import LocalPolicy
from understudy.moderation.policy import Action, Rule

MakePolicy = Callable[..., LocalPolicy]


@pytest.fixture
def policy_of() -> MakePolicy:
    """Make a policy of one rule: `policy_of("a phrase", patterns=(…), allow=(…), action=Action.FLAG)`."""

    def make(
        *phrases: str, patterns: tuple[str, ...] = (), allow: tuple[str, ...] = (), action: Action = Action.BLOCK
    ) -> LocalPolicy:
        rule = Rule(id="made-up", message="Not here.", action=action, phrases=phrases, patterns=patterns, allow=allow)
        return LocalPolicy((rule,))

    return make
