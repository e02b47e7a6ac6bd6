"""Questions that need no script: does a URL answer, does a port take a connection. Asked once: `advance` repeats."""

import asyncio

import aiohttp

from pipelines.domain.events import Progress
from pipelines.domain.reports import reported
from pipelines.storage.steps import Ending

ANSWER_READ = 64 * 1024


async def http(url: str, timeout: float, *, status: bool = False) -> Ending:
    """GET `url`; any 2xx is yes. With `status` the answer is what the target reports. Redirects are not followed."""
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, allow_redirects=False) as answer:
            body = (await answer.content.read(ANSWER_READ)).decode(errors="replace")
            if not 200 <= answer.status < 300:
                return Ending(progress=Progress.FAILED, detail=f"answered {answer.status}")
            return Ending(progress=Progress.OK, report=reported(body) if status else None)
    except TimeoutError:
        return Ending(progress=Progress.TIMED_OUT, detail=f"did not answer within {timeout:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Ending(progress=Progress.FAILED, detail=f"did not answer: {_reason(error)}")


async def tcp(address: str, timeout: float) -> Ending:
    """Connect to `host:port`; a connection is yes."""
    host, _, port = address.rpartition(":")
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
    if isinstance(error, ConnectionRefusedError) or isinstance(error.__cause__, ConnectionRefusedError):
        return "connection refused"
    return (str(error) or type(error).__name__)[:200]
