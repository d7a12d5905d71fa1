"""What is true of a kind of backend whoever runs it: data for `doctor` and for the generated tables of its page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One kind of backend.

    `key_env` is the variable that holds its key unless the settings name another; None: it needs no key.
    `reference` is the address of the vendor's own description of the interface, read on `read_on` (ISO date).
    The other texts are sentences for an operator: `cost` with its unit and the day it was read, `result_life` how long
    the upstream keeps a film, `lost_answer` how a submission without an answer is found again, `cancels` what stopping
    a job does there.
    """

    kind: str
    title: str
    reference: str
    read_on: str
    base_url: str
    key_env: str | None
    default_model: str
    cost: str
    result_life: str
    lost_answer: str
    cancels: str
