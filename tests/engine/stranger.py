"""Another user of this machine who tries to run code in an embedded cluster: ``python stranger.py`` with JSON on stdin.

It has the ``scheduler`` and a ``worker`` (host:port, which any user can find out), and ``pems``: under a name, certificate and
key to show in turn, the last one first once as who started it. The answer is JSON: with which of them code ran where.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any


def secured(pem: dict[str, str] | None) -> Any:
    from distributed import Security

    if pem is None:
        return Security()
    roles = {f"tls_{role}_{part}": pem[part] for role in ("client", "scheduler", "worker") for part in ("cert", "key")}
    return Security(require_encryption=True, tls_ca_file=pem["cert"], **roles)


async def on_scheduler(address: str, security: Any) -> str:
    from distributed import Client

    try:
        async with Client(address, security=security, timeout=1.5, asynchronous=True, set_as_default=False) as client:
            return "ran" if await client.run_on_scheduler(os.getpid) else "nothing"
    except (TimeoutError, OSError):
        return "refused"


async def on_worker(address: str, security: Any) -> str:
    from distributed.core import rpc
    from distributed.protocol import pickle

    there = rpc(address, connection_args=security.get_connection_args("client"), timeout=1.5)
    try:
        answer = await asyncio.wait_for(there.run(function=pickle.dumps(os.getpid), args=pickle.dumps(())), 4)
        return "ran" if answer["status"] == "OK" else "nothing"
    except (TimeoutError, OSError):
        return "refused"
    finally:
        await there.close_rpc()


async def main() -> None:
    import logging

    logging.disable(logging.CRITICAL)
    what = json.load(sys.stdin)
    # Once before: what is imported on the way may lie where the other user cannot read.
    await on_scheduler("tls://" + what["scheduler"], secured(list(what["pems"].values())[-1]))
    if what["become"] is not None:
        os.setgroups([])
        os.setgid(what["become"])
        os.setuid(what["become"])
    found: dict[str, Any] = {"user": os.getuid()}
    for name, pem in what["pems"].items():
        security, way = secured(pem), "tcp://" if pem is None else "tls://"
        scheduler, worker = way + what["scheduler"], way + what["worker"]
        found[name] = [await on_scheduler(scheduler, security), await on_worker(worker, security)]
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
