"""What hosted services have in common: the client that carries their key, and how their jobs are asked for."""

from collections.abc import Callable, Mapping

from understudy.backends.base import Context, Traits
from understudy.backends.facts import Facts
from understudy.backends.http import UpstreamApi
from understudy.backends.options import BackendOptions, read_api_key


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


def open_api(
    name: str,
    options: BackendOptions,
    context: Context,
    facts: Facts,
    *,
    authorize: Callable[[str], Mapping[str, str]] = _bearer,
) -> UpstreamApi:
    """Return the client of the backend called `name`, whose headers are what `authorize` makes of its key.

    Raises `OperatorError` if the kind needs a key and there is none.
    """
    key = read_api_key(name, options, context, default_env=facts.key_env)
    return UpstreamApi(
        options.url or facts.base_url,
        headers={} if key is None else authorize(key.get_secret_value()),
        secrets=() if key is None else (key,),
        options=options,
        outbound=context.outbound,
    )


def hosted_traits(
    options: BackendOptions, *, first_poll_seconds: float, poll_seconds: float, webhook_seconds: float = 0
) -> Traits:
    """Return the traits of a service, the operator's settings before its own pace.

    `webhook_seconds` is how long its webhook may tell of a job whose answer was lost, 0 if it has none. A job has to be
    missing three times in a row, since services read from copies that lag behind.
    """
    webhooks = webhook_seconds > 0 and options.webhooks is not False
    return Traits(
        first_poll_seconds=options.first_poll_seconds or first_poll_seconds,
        poll_seconds=options.poll_seconds or poll_seconds,
        polls_at_once=options.polls_at_once,
        max_jobs=options.max_jobs,
        webhooks=webhooks,
        reconcile_seconds=webhook_seconds if webhooks else 0,
        vanish_after=3,
    )
