"""Server time of portal pages: start, a notice's signed link, a receipt; p50 and p95, aim under 20 ms.

Run ``python bench/page_times.py [REQUESTS]``, by default 500 a page, in this process, without a network: what the
server itself takes, from the first byte of the request to the last one of the answer.
"""

import asyncio
import logging
import sys
import time
from pathlib import Path

import httpx
import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))

from making import open_policy

import _measure as measure
from demur import workspace as workspaces
from demur.tokens import Purpose
from demur.web.app import create_app
from demur.web.server.limits import Limits, Rate, Rates

REQUESTS = 500
AIM_MS = 20
PATIENT = Rate(10**9, 1.0)


async def times(client: httpx.AsyncClient, path: str, requests: int) -> list[float]:
    """Milliseconds of each request for a page."""
    taken = []
    for _ in range(requests):
        began = time.perf_counter()
        answer = await client.get(path)
        taken.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, (path, answer.status_code)
    return taken


async def run(root: Path, requests: int) -> None:
    """Prints the figures of one workspace."""
    app = create_app(workspaces.find(root), limits=Limits(Rates(page=PATIENT, act=PATIENT)))
    desk = app.state.desk
    receipt = desk.register.objections.lodge(["forum:ann"], channel="web")
    subject = int(desk.register.members.covered_with("forum:ann")[0])
    pages = {
        "start": "/de/",
        "signed link": f"/de/o/{desk.tokens.make(Purpose.OBJECT, subject)}",
        "receipt": f"/de/receipt/{desk.tokens.make(Purpose.RECEIPT, receipt.seq)}",
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8470") as client:
        for name, path in pages.items():
            await times(client, path, 20)
            p50, p95 = np.quantile(await times(client, path, requests), [0.5, 0.95])
            print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms (aim {AIM_MS})")
    desk.close()


def main() -> None:
    """Prints the figures."""
    logging.disable()
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with measure.scratch() as folder:
        workspaces.create(folder / "w", open_policy())
        asyncio.run(run(folder / "w", requests))


if __name__ == "__main__":
    main()
