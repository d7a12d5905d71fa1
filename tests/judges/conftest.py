"""The judges' environment, made once for all tests and all workers."""

import sys
from pathlib import Path

import pytest

from tests.judges.environment import JudgesUnavailableError, prepare_judges


@pytest.fixture(scope="session")
def judges(request: pytest.FixtureRequest) -> Path:
    """The folder of the judges' environment."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        # Making the environment takes a while: whoever waits for it shall see why.
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n{text}\n")

    try:
        return prepare_judges(say)
    except JudgesUnavailableError as error:
        pytest.fail(str(error), pytrace=False)
