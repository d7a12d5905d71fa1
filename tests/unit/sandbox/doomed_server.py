"""A server to be killed while its child works: `python -m tests.unit.sandbox.doomed_server TARGET PID_FILE`."""

import asyncio
import sys

from tests.unit.sandbox import targets
from tests.unit.sandbox.conftest import LIMITS
from understudy.sandbox.runner import Sandbox

if __name__ == "__main__":
    arguments = {"seconds": 60, "pid_file": sys.argv[2]}
    asyncio.run(Sandbox(1).run(getattr(targets, sys.argv[1]), arguments, limits=LIMITS))
