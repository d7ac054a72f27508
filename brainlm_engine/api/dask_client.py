"""Dask's client as the link uses it: imported late, quiet, over TLS, closed for good."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from brainlm_engine.api.errors import EngineLost
from brainlm_engine.api.runfile import EngineFile

_CONNECT_TIMEOUT_S = 15.0

_SETTINGS = {
    "distributed.comm.offload": False,
    "distributed.comm.compression": None,
    "distributed.comm.require-encryption": True,
    "distributed.diagnostics.nvml": False,
    "distributed.admin.tick.limit": "1 hour",
    "logging": {"distributed": "critical", "distributed.client": "critical", "tornado.application": "critical"},
}


@contextlib.contextmanager
def _giving_way() -> Iterator[None]:
    """Let other threads (the window's) in ten times as often as usual while this one imports."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


async def connect(file: EngineFile) -> Any:
    """Import Dask and connect to the engine of ``file``; return its :class:`distributed.Client`."""
    with _giving_way():
        import dask

        dask.config.set(_SETTINGS)
        from distributed import Client
        from distributed.security import Security

    try:
        security = Security(
            require_encryption=True,
            tls_ca_file=file.certificate,
            tls_client_cert=file.certificate,
            tls_client_key=file.key,
        )
        return await Client(
            file.address,
            security=security,
            asynchronous=True,
            name="app",
            set_as_default=False,
            timeout=_CONNECT_TIMEOUT_S,
        )
    except (OSError, ValueError) as error:
        raise EngineLost(
            f"The engine at {file.address} cannot be reached with the credentials in {file.certificate}.",
            "Restart the engine.",
            str(error),
        ) from error


async def close(client: Any, fast: bool = False) -> None:
    """Close Dask's client; ``fast`` does not wait for an answer from a scheduler that is gone."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client._close(fast=fast), 5.0)
    with contextlib.suppress(Exception):
        await client.rpc.close()
