"""`python -m serving`: the web server."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer
import uvicorn
from pydantic import ValidationError

from edge_assets.core.settings import MissingSettingError, Settings, describe_setting_errors
from serving.app import create_app
from serving.server import build_config, open_listener


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 chooses a free one.")] = 8000,
) -> None:
    """Serve the API, the live stream and the board."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings()
        config = build_config(create_app(settings), host, port, settings.edge_trusted_proxies)
        listener = open_listener(config)
    except MissingSettingError as error:
        sys.exit(str(error))
    except ValidationError as error:  # its own text would repeat the value, which may be a secret
        sys.exit("\n".join(describe_setting_errors(error)))
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror}")
    logging.getLogger("serving").info("listening on http://%s:%d", *listener.getsockname()[:2])
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    typer.run(main)
