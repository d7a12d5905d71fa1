"""How the jobs of a hosted service are asked for."""

import pytest

from understudy.backends.hosted import hosted_traits
from understudy.backends.options import BackendOptions


@pytest.mark.parametrize(
    ("settings", "webhook_seconds", "told"),
    [
        ({}, 900, (True, 900)),
        ({"webhooks": True}, 900, (True, 900)),
        ({"webhooks": False}, 900, (False, 0)),
        ({}, 0, (False, 0)),
        ({"webhooks": True}, 0, (False, 0)),
    ],
)
def test_a_lost_job_is_waited_for_where_a_webhook_may_tell_of_it(
    settings: dict[str, bool], webhook_seconds: float, told: tuple[bool, float]
) -> None:
    options = BackendOptions.model_validate(settings)
    traits = hosted_traits(options, first_poll_seconds=20, poll_seconds=5, webhook_seconds=webhook_seconds)

    assert (traits.webhooks, traits.reconcile_seconds) == told
    assert (traits.first_poll_seconds, traits.poll_seconds) == (20, 5)
