"""A prompt on its way to a model that may obey it in another way than it was meant."""

import re

_ORDER = re.compile(r"--(?=[a-z])", re.IGNORECASE)


def without_orders(prompt: str) -> str:
    """Return a prompt in which two hyphens before a letter are a dash.

    Seedance takes `--duration 15` for an order, which changes length or size, and so the price: a caller could have a
    film made that nobody agreed to pay for. With a dash it is words.
    """
    return _ORDER.sub("—", prompt)


def prompt_for(model: str, prompt: str) -> str:
    """Return a prompt as `model` gets it, known by its name at a vendor of many models."""
    return without_orders(prompt) if "seedance" in model else prompt
