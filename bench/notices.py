"""Notices: mails rendered and delivered a second to a local SMTP sink, and a large campaign queued.

Run ``python bench/notices.py [MAILS] [MEMBERS]``, by default 5,000 and 1,000,000. The sink is another process on the
same machine. The yardstick, in the same minutes: as many mails, rendered before, sent by bare smtplib over one
connection to the same sink. The members come as generated Arrow batches.
"""

import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial

import pyarrow as pa

import _measure as measure
from demur import workspace as workspaces
from demur.identity import Keys
from demur.notices.rendering import Links, Rendered, render_notice
from demur.policy import Controller, Mail, Policy
from demur.register import MEMBER, Selection
from demur.terms import Channel
from demur.worker.mails import Post
from demur.worker.work import work

MAILS = 5_000
MEMBERS = 1_000_000
RATE_TARGET = 600
QUEUE_TARGET = 60
BATCH = 50_000
EVERYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)
SINK = """
import asyncio

async def talk(reader, writer):
    writer.write(b"220 sink\\r\\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go on\\r\\n")
            while await reader.readline() != b".\\r\\n":
                pass
        writer.write(b"221 bye\\r\\n" if verb == b"QUIT" else b"250 ok\\r\\n")
    writer.close()

async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def main() -> None:
    """Prints the figures."""
    given = [int(each) for each in sys.argv[1:]]
    mails, members = (given + [MAILS, MEMBERS][len(given) :])[:2]
    with sink() as port:
        pairs = [(bare(port, mails), delivered(port, mails)) for _ in range(measure.RUNS)]
    rates = [mails / took for _, took in pairs]
    bares = [mails / took for took, _ in pairs]
    rate, yardstick = measure.median(rates), measure.median(bares)
    print(f"notices delivered: {rate:,.0f}/s (target {RATE_TARGET}), bare smtplib {yardstick:,.0f}/s")
    print(f"  runs {', '.join(f'{each:,.0f}' for each in rates)}; bare {', '.join(f'{each:,.0f}' for each in bares)}")
    queued(members)


def policy(server: str) -> Policy:
    """One that delivers to the sink."""
    controller = Controller(name="Harbour Commons", contact="privacy@harbour.example", country="IE")
    mail = Mail(server=server, security="none")
    return Policy(effective_date=date(2027, 2, 1), controller=controller, mail=mail)


def batches(number: int) -> Iterator[pa.RecordBatch]:
    """Members, each with an address."""
    for start in range(0, number, BATCH):
        numbers = range(start, min(start + BATCH, number))
        rows = [{"account": f"forum:m{n}", "names": [f"M {n}"], "mail": f"m{n}@mail.example"} for n in numbers]
        yield pa.RecordBatch.from_pylist(rows, schema=MEMBER)


def delivered(port: int, mails: int) -> float:
    """Seconds of a worker from the queue to the last mail on record."""
    with measure.scratch() as folder:
        made = workspaces.create(folder / "w", policy(f"127.0.0.1:{port}"))
        with made.register() as register:
            register.members.import_all(batches(mails))
            register.campaigns.start("spring", EVERYBODY, [Channel.MAIL])
        return measure.seconds(lambda: work(made, threading.Event(), once=True))


def bare(port: int, mails: int) -> float:
    """Seconds of smtplib for mails that are rendered already."""
    said = policy(f"127.0.0.1:{port}")
    rendered = render_notice(said, None, Links("https://object.example", "A" * 36))
    with measure.scratch() as folder:
        post = Post(said, Keys.create(folder / "keys"))
    ready = [content(post, rendered, number) for number in range(mails)]

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, "harbour.example") as server:
            for number, each in enumerate(ready):
                server.sendmail("privacy@harbour.example", [f"m{number}@mail.example"], each)

    return measure.seconds(send)


def content(post: Post, rendered: Rendered, number: int) -> bytes:
    """A notice as the worker sends it."""
    return post.mail(rendered, f"m{number}@mail.example", post.notice_id("spring", number, Channel.MAIL)).content


def queued(members: int) -> None:
    """Prints how long members take to import and a campaign for them to queue, and the peak memory of each."""
    with measure.scratch() as folder:
        made = workspaces.create(folder / "w", policy(""))
        with made.register() as register, measure.memory() as importing:
            imported = measure.seconds(lambda: register.members.import_all(batches(members)))
        times = []
        with made.register() as register, measure.memory() as queueing:
            for number in range(measure.RUNS):
                name = f"campaign {number}"
                times.append(measure.seconds(partial(register.campaigns.start, name, EVERYBODY, [Channel.MAIL])))
    print(f"{members:,} members with an address imported: {imported:.1f} s; peak memory {importing.peak / 1e6:.0f} MB")
    print(f"campaign for them queued: {measure.median(times):.1f} s (target {QUEUE_TARGET} for a million)", end="")
    print(f"; runs {', '.join(f'{each:.1f}' for each in times)}; peak memory {queueing.peak / 1e6:.0f} MB")


@contextmanager
def sink() -> Iterator[int]:
    """A mail server that forgets, as a process of its own; its port."""
    with subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    main()
