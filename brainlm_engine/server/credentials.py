"""TLS credentials of one engine: made when it starts, kept in private files, removed when it stops.

Dask's TLS is mutual: whoever holds the key file may talk to the engine, and nobody else. The files lie in the private
run directory with mode 0600, so that is this user.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainlm_engine.api.runfile import write_private


@dataclass(frozen=True)
class Credentials:
    """One self-signed certificate that the scheduler, the workers and the clients of one engine share."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, engine_id: str) -> Credentials:
        """Make new credentials for ``engine_id`` and write them to ``folder``."""
        from distributed.security import Security

        temporary = Security.temporary()
        made = cls(folder / f"engine-{engine_id}.crt", folder / f"engine-{engine_id}.key")
        write_private(made.certificate, temporary.tls_ca_file)
        write_private(made.key, temporary.tls_client_key)
        return made

    def security(self) -> Any:
        """Return them as :class:`distributed.Security`, for every role."""
        from distributed.security import Security

        certificate, key = str(self.certificate), str(self.key)
        return Security(
            require_encryption=True,
            tls_ca_file=certificate,
            tls_client_cert=certificate,
            tls_client_key=key,
            tls_scheduler_cert=certificate,
            tls_scheduler_key=key,
            tls_worker_cert=certificate,
            tls_worker_key=key,
        )


def remove_leftovers(folder: Path) -> None:
    """Remove credentials that killed engines left in ``folder``. Call only while no other engine runs."""
    for pattern in ("engine-*.crt", "engine-*.key", ".engine*"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
