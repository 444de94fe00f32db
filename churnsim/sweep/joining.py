"""Reaching a Dask cluster: its address, its scheduler, or a clear answer in seconds."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from churnsim.errors import InputError, Problem

OPTION = "--cluster"
CALL_SECONDS = 3.0  # until a host, and then its scheduler, count as unreachable
LOGGERS = (
    *("asyncio", "distributed", "distributed.client", "distributed.scheduler"),
    *("tornado", "tornado.application"),
)


def check_address(address: str, *, is_insecure: bool) -> None:
    """Refuse what is no address, or an open line to another machine.

    Raises:
        InputError: It is.
    """
    rule = "must be a scheduler's address, tcp://HOST:PORT or tls://HOST:PORT"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or parts.scheme not in {"tcp", "tls"}:
        raise InputError(Problem(rule, field=OPTION, value=address))
    if parts.scheme == "tcp" and not is_insecure and not _is_here(host):
        rule = "must be tls:// unless the scheduler is on this machine"
        hint = (
            "whoever can reach a port without TLS can run programs there;"
            " --insecure allows it in a network that is closed"
        )
        raise InputError(Problem(rule, field=OPTION, value=address, hint=hint))


def check_open(address: str) -> None:
    """Refuse an address at which nobody takes calls, before anything is loaded.

    Raises:
        InputError: No such host, or its port is closed.
    """
    parts = urlsplit(address)

    def call() -> None:
        place = (parts.hostname, parts.port)
        socket.create_connection(place, CALL_SECONDS).close()

    try:
        _within(CALL_SECONDS, call)
    except (OSError, UnicodeError) as error:
        raise _unreachable(address, error) from None


def connected(address: str) -> Any:
    """Return a client of the scheduler, within seconds.

    Raises:
        InputError: Whoever is there is no scheduler, or does not trust this process.
    """
    from distributed import Client, Security, rpc

    async def ask() -> None:
        trust = Security().get_connection_args("client")
        async with rpc(address, connection_args=trust) as scheduler:
            await asyncio.wait_for(scheduler.identity(), CALL_SECONDS)

    # A client that finds no scheduler takes long to give up, hence the call before.
    try:
        _within(CALL_SECONDS, lambda: asyncio.run(ask()))
        # Results come by way of the scheduler: workers need not be reachable from here.
        return Client(
            address,
            timeout=CALL_SECONDS,
            set_as_default=False,
            direct_to_workers=False,
        )
    except Exception as error:  # noqa: BLE001 - of many kinds, by who is there instead
        raise _unreachable(address, error) from None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask from telling at length what is told in one line here."""
    import distributed  # noqa: F401 - it sets the levels as it is loaded

    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _is_here(host: str) -> bool:
    """Return whether a name or number of a host can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Make a call that may hang, such as for a name; give up after a time.

    Raises:
        TimeoutError: It took longer.
        Exception: What the call raises.
    """
    done: Future[None] = Future()

    def run() -> None:
        try:
            call()
            done.set_result(None)
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    done.result(timeout=seconds)


def _unreachable(address: str, error: Exception) -> InputError:
    what = " ".join(str(error).split()) or f"no answer in {CALL_SECONDS:.0f} s"
    rule = f"must be where a Dask scheduler answers ({what})"
    hint = "see that it runs there, and that its port is open"
    if address.startswith("tls:"):
        hint += "; Dask's configuration names the certificates (distributed.comm.tls)"
    return InputError(Problem(rule, field=OPTION, value=address, hint=hint))
