"""How work in a child process ends when it does not end well.

SandboxError
├── Rejected                 the target itself said no, on purpose
├── SandboxClosed            the server is shutting down; says nothing about the work
└── ChildFailed
    ├── ChildTimeout         over its wall or CPU seconds
    ├── ChildOutOfMemory     over its memory, or killed from outside (the kernel's OOM killer)
    ├── ChildCrashed         ended without an answer
    └── ChildRaised          the target raised something unforeseen
"""

from understudy.domain.errors import UnderstudyError


class SandboxError(UnderstudyError):
    """Root of what `runner.Sandbox.run` raises on purpose."""


class Rejected(SandboxError):  # noqa: N818 - the target's verdict, not a fault of the program
    """A target refuses what it was given: raised in the child, raised again in the parent with the same words.

    `code` is a word that the two sides agreed on; `message` a sentence whose reader they agreed on too.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SandboxClosed(SandboxError):  # noqa: N818 - a state, as the names of the standard library have it
    """The sandbox was closed before the work was done. Do the work again after the restart."""


class ChildFailed(SandboxError):  # noqa: N818 - the tree reads as what happened to the child
    """The child ended without a result.

    `stderr` holds at most its last 8 KiB of output, for the operator's log alone: it may name files and libraries.
    """

    def __init__(self, message: str, *, stderr: str = "") -> None:
        super().__init__(message)
        self.stderr = stderr


class ChildTimeout(ChildFailed):
    """The child used up its wall or CPU seconds and was killed."""


class ChildOutOfMemory(ChildFailed):
    """The child asked for more memory than it may have, or something outside killed it with SIGKILL."""


class ChildCrashed(ChildFailed):
    """The child ended by itself without an answer. `exit` is its exit status, or minus the signal that ended it."""

    def __init__(self, exit_status: int, *, stderr: str = "") -> None:
        super().__init__(f"the child process ended with status {exit_status} and no answer", stderr=stderr)
        self.exit = exit_status


class ChildRaised(ChildFailed):
    """The target raised an exception. `type_name` is its class, `message` its text, cut at 500 characters."""

    def __init__(self, type_name: str, message: str, *, stderr: str = "") -> None:
        super().__init__(f"{type_name}: {message}", stderr=stderr)
        self.type_name = type_name
        self.message = message
