"""Our server without its workers: `python -m bench.server`.

It accepts tasks exactly as `understudy serve` does (the same parts from the same composition root, the same database
and protocol), but nobody draws them. So a submit's figure is the price of a submit and not of the films. The command
line refuses this form on the embedded database, rightly: there it would be a server that never finishes anything.
"""

import socket

from bench.serving import listen, run, serve
from understudy.api.protocol import HttpProtocol
from understudy.bootstrap import open_foundation, open_server
from understudy.config import Settings, load_settings
from understudy.telemetry import configure_logging


async def _serve(settings: Settings, listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with open_foundation(settings, migrate=True) as foundation, open_server(foundation, public_url=url) as app:
        await serve(app, listener, http=HttpProtocol)


def main() -> None:
    """Serve on a free port until SIGTERM; the settings come from the environment."""
    settings = load_settings(workers=False)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    with listen() as listener:
        run(_serve(settings, listener))


if __name__ == "__main__":
    main()
