"""Questions that need no script: does a URL answer, does a port take a connection. Asked once: `advance` repeats."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import Callable

import aiohttp

from pipelines.domain.events import Progress
from pipelines.domain.reports import reported
from pipelines.storage.steps import Ending

ANSWER_READ = 64 * 1024


async def http(url: str, timeout: float, *, status: bool = False, hide: Callable[[str], str] = str) -> Ending:
    """GET `url`; any 2xx is yes. With `status` the answer is what the target reports. Redirects are not followed.

    `hide` takes out of an answer what must not be recorded, before it is cut to a line."""
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, allow_redirects=False) as answer:
            body = (await answer.content.read(ANSWER_READ)).decode(errors="replace")
            if not 200 <= answer.status < 300:
                return Ending(progress=Progress.FAILED, detail=f"answered {answer.status}")
            return Ending(progress=Progress.OK, report=reported(hide(body)) if status else None)
    except TimeoutError:
        return Ending(progress=Progress.TIMED_OUT, detail=f"did not answer within {timeout:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Ending(progress=Progress.FAILED, detail=f"did not answer: {_reason(error)}")


async def tcp(address: str, timeout: float) -> Ending:
    """Connect to `host:port`; a connection is yes."""
    host, _, port = address.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        return Ending(progress=Progress.FAILED, detail="took no connection: this is no address such as host:5432")
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
        return Ending(progress=Progress.OK)
    except TimeoutError:
        return Ending(progress=Progress.TIMED_OUT, detail=f"took no connection within {timeout:g} s")
    except (OSError, ValueError) as error:
        return Ending(progress=Progress.FAILED, detail=f"took no connection: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Why, in words without the address: that may hold a secret, in a spelling of some library's own."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    match cause:
        case ssl.SSLCertVerificationError() | aiohttp.ClientConnectorCertificateError():
            return f"its certificate is not good: {_certificate(cause)}"
        case ssl.SSLError():
            return f"no TLS with it: {(cause.reason or 'unknown').replace('_', ' ').lower()}"
        case ConnectionRefusedError():
            return "connection refused"
        case socket.gaierror():
            return "nobody knows an address of that name"
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number).lower()
        case OSError():
            return "no connection at any of its addresses"
        case ValueError():
            return "this is no URL that can be asked"
        case aiohttp.ClientResponseError():
            return "it does not speak HTTP"
        case _:
            return "it hung up"


def _certificate(error: Exception) -> str:
    inner = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
    return str(getattr(inner, "verify_message", "unknown")).split(",")[0].lower()
