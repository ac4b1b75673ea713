"""How fast each source is read, against its parser alone on the same bytes, and the memory that it takes.

Run ``python bench/sources.py [MB] [NAME]`` (50, every source) or ``python bench/sources.py --big [MB] [NAME]`` (2048,
one source of each family of parsers). Each run is a process of its own; source and parser take turns. Speed is that of
one core: seconds are those of a processor, of all threads together. It counts unpacked bytes of the files that hold
what people wrote. "Parser" is what the source stands on and no rule of ours: ijson, orjson, csv, rows of XML, the
standard library's mails, the patterns of a log's lines; where texts are HTML, lxml's tree of each as well, with every
tag, text and attribute taken. The records are those of ``_exports.py``.
"""

import csv
import io
import json
import mailbox
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import ijson
import orjson
import pyarrow as pa
from lxml import etree

import _exports
import _measure as measure
from demur.sources import load_source
from demur.sources.chats.ircforms import form_of
from demur.sources.chats.whatsapp import _HEAD

MEGABYTES: Final = 50
BIG: Final = 2048
TARGET: Final = "at least 20 MB/s, or at most 2.0 times its parser alone; under 300 MB"
FAMILIES: Final = {
    "JSON in a zip": "x",
    "JSON": "telegram",
    "JSON Lines": "reddit",
    "CSV in a zip": "discourse, a member's archive",
    "a dump in SQL": "discourse, dump of its database",
    "XML": "stackexchange",
    "lines": "irc",
    "lines in a zip": "whatsapp",
    "mails": "mbox",
}
_BLOCK: Final = 1 << 16


def main() -> None:
    """Prints the figures, or is one of the processes that are measured."""
    given = sys.argv[1:]
    if given[:1] in (["read"], ["parse"]):
        print(json.dumps(_measured(given[0], json.loads(given[1]))))
        return
    sizes = [int(one) for one in given if one.isdigit()]
    names = [one for one in given if not one.isdigit() and one != "--big"]
    print(f"target: {TARGET}")
    if "--big" in given:
        big(sizes[0] if sizes else BIG, names[0] if names else "")
    else:
        each(sizes[0] if sizes else MEGABYTES, names[0] if names else "")


def each(megabytes: int, wanted: str) -> None:
    """Prints speed and memory of every source."""
    print(f"{'source':34} {'MB':>5} {'MB/s':>6} {'parser':>7} {'ratio':>6} {'peak MB':>8}")
    for export in _exports.exports(wanted):
        with measure.scratch() as folder:
            path, size = export.write(folder, megabytes * 10**6)
            runs = [(_run("read", export, path), _run("parse", export, path)) for _ in range(measure.RUNS)]
        own, parser = (measure.median([run[side]["seconds"] for run in runs]) for side in (0, 1))
        peak = max(run[0]["peak"] for run in runs)
        speeds = f"{size / own / 1e6:6.1f} {size / parser / 1e6:7.1f} {own / parser:6.2f}"
        print(f"{export.name:34} {size / 1e6:5.0f} {speeds} {peak / 1e6:8.0f}", flush=True)


def big(megabytes: int, wanted: str) -> None:
    """Prints the peak memory of reading one large input of each family."""
    for family, name in FAMILIES.items():
        for export in _exports.exports(name) if wanted in family or wanted in name else ():
            if export.name == name:
                with measure.scratch() as folder:
                    path, size = export.write(folder, megabytes << 20)
                    run = _run("read", export, path)
                told = f"{size / 1e6:,.0f} MB in {run['seconds']:.0f} s of a processor, peak {run['peak'] / 1e6:.0f} MB"
                print(f"{family:16} {export.name:34} {told}, {run['count']:,} items", flush=True)


def _run(what: str, export: _exports.Export, path: Path) -> dict[str, Any]:
    told = {"name": export.name, "source": export.source, "within": export.path, "options": export.options}
    done = subprocess.run(
        [sys.executable, __file__, what, json.dumps({**told, "path": str(path)})], check=True, capture_output=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _measured(what: str, told: dict[str, Any]) -> dict[str, Any]:
    """Seconds of a processor, items and the process's peak memory, in bytes."""
    source = load_source(told["source"])
    pa.array(["loads what Arrow loads at its first array, pandas included where it is installed"])
    began = time.process_time()
    if what == "read":
        count = sum(batch.num_rows for batch in source.read([told["path"]], told["options"]))
    elif told["source"] == "mbox":
        count = _mails(told["path"])
    else:
        parser = _PARSERS[told["name"]]
        count = sum(parser(file) for file in _files(told["within"], Path(told["path"])))
    took = time.process_time() - began
    return {"seconds": took, "count": count, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


# The parsers alone


def _files(within: str, path: Path) -> Iterator[IO[bytes]]:
    """The files of an export that hold what people wrote."""
    if path.suffix != ".zip":
        with (path / within if path.is_dir() else path).open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            if name.startswith(within.partition(str(_exports.MARK))[0]):
                with packed.open(name) as file:
                    yield file


def _json(prefix: str, file: IO[bytes], *, html: Callable[[Any], str] | None = None) -> int:
    count = 0
    for value in ijson.items(file, prefix, buf_size=_BLOCK):
        count += 1
        if html is not None:
            _tree(html(value))
    return count


def _script(file: IO[bytes]) -> int:
    file.read(len(b"window.YTD.tweets.part0 = "))
    return _json("item", file)


def _json_lines(file: IO[bytes]) -> int:
    return sum(1 for line in file if orjson.loads(line))


def _csv(file: IO[bytes], html: int | None = None) -> int:
    count = 0
    for row in csv.reader(io.TextIOWrapper(file, "utf-8", newline="")):
        count += 1
        if html is not None:
            _tree(row[html])
    return count


def _copied(file: IO[bytes]) -> int:
    """A dump in SQL: fields between tabs, and the HTML of the column ``cooked``."""
    count = 0
    for line in file:
        fields = line.decode().rstrip("\n").split("\t")
        if len(fields) > 2:
            count += 1
            _tree(fields[5].replace("\\n", "\n"))
    return count


def _rows(file: IO[bytes]) -> int:
    count = 0
    for line in file:
        if line.lstrip().startswith(b"<row "):
            count += 1
            _tree(str(etree.fromstring(line.strip()).attrib["Body"]))
    return count


def _log(file: IO[bytes]) -> int:
    form, count = None, 0
    for line in io.TextIOWrapper(file, "utf-8"):
        form = form or form_of(line)
        if form and (match := form.message.match(line.removesuffix("\n"))):
            count += bool(match.groupdict())
    return count


def _chat(file: IO[bytes]) -> int:
    return sum(1 for line in io.TextIOWrapper(file, "utf-8") if (head := _HEAD.match(line)) and head.groupdict())


def _mails(path: str) -> int:
    count = 0
    for mail in mailbox.mbox(path, create=False):
        count += 1
        assert mail.get_payload(decode=True)
        assert mail.items()
    return count


def _tree(html: str) -> list[object]:
    """All that a tree of HTML says."""
    return [(each.tag, each.text, each.tail, each.attrib.items()) for each in etree.HTML(html, _HTML).iter()]


_HTML: Final = etree.HTMLParser(huge_tree=True, no_network=True)


def _content(activity: Any) -> str:  # noqa: ANN401  # a record as it comes
    return str(activity["object"]["content"])


def _cooked(post: Any) -> str:  # noqa: ANN401  # a record as it comes
    return str(post["cooked"])


_PARSERS: Final[dict[str, Callable[[IO[bytes]], int]]] = {
    "activitystreams": partial(_json, "orderedItems.item", html=_content),
    "discord": partial(_json, "messages.item"),
    "discourse, JSON of the API": partial(_json, "item", html=_cooked),
    "discourse, a member's archive": partial(_csv, html=4),
    "discourse, dump of its database": _copied,
    "facebook": partial(_json, "item"),
    "instagram": partial(_json, "item"),
    "irc": _log,
    "mastodon": partial(_json, "orderedItems.item", html=_content),
    "reddit": _json_lines,
    "slack": partial(_json, "item"),
    "stackexchange": _rows,
    "table, CSV as plain text": _csv,
    "telegram": partial(_json, "messages.item"),
    "whatsapp": _chat,
    "x": _script,
}


if __name__ == "__main__":
    main()
