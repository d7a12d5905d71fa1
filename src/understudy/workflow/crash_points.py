"""Named points at which a test kills the process, each beside an effect that must not be lost or doubled.

A test runs one real server for each of them and fails if a new one has no run.
"""

import os
import signal
from dataclasses import dataclass
from enum import StrEnum


class CrashPoint(StrEnum):
    """Where a crash hurts most."""

    ACCEPT_BEFORE_COMMIT = "accept-before-commit"
    ACCEPT_AFTER_COMMIT = "accept-after-commit"
    PREPARE_BEFORE_COMMIT = "prepare-before-commit"
    PREPARE_AFTER_IMAGE_STORED = "prepare-after-image-stored"
    SUBMIT_AFTER_ATTEMPT_RECORDED = "submit-after-attempt-recorded"
    SUBMIT_AFTER_CALL = "submit-after-call"
    SUBMIT_AFTER_COMMIT = "submit-after-commit"
    AWAIT_WHILE_RUNNING = "await-while-running"
    AWAIT_AFTER_FINISHED = "await-after-finished"
    COLLECT_AFTER_FETCH = "collect-after-fetch"
    COLLECT_AFTER_STORED = "collect-after-stored"
    FINISH_BEFORE_COMMIT = "finish-before-commit"
    FINISH_AFTER_COMMIT = "finish-after-commit"
    FAIL_BEFORE_COMMIT = "fail-before-commit"
    DELIVER_BEFORE_SEND = "deliver-before-send"
    DELIVER_AFTER_SEND = "deliver-after-send"
    DELIVER_AFTER_COMMIT = "deliver-after-commit"
    SWEEP_AFTER_FILE_DELETED = "sweep-after-file-deleted"


@dataclass(frozen=True, slots=True)
class CrashSwitch:
    """Kills the process at one point; with none set it does nothing."""

    at: CrashPoint | None = None

    def reach(self, point: CrashPoint) -> None:
        """End this process as `kill -9` would, if it is to die here."""
        if point is self.at:
            os.kill(os.getpid(), signal.SIGKILL)
