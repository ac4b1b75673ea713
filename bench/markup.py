"""A forum's table: posts in HTML into the corpus, against the import of what they say as plain text.

Run ``python bench/markup.py [ROWS]``, by default 100,000. Posts are made of words as in ``_posts.py``, set in
Discourse's HTML: one to four paragraphs with emphasis and a link, 35 % with a mention, 30 % with a quote, 10 % with a
list. 1 % of the people have objected. The ratio is median to median.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import _measure as measure
import _posts as posts
from demur.corpus.importing import import_items
from demur.sources import load_source
from demur.sources.markup.names import in_namespace
from demur.sources.markup.reading import Markup, to_plain
from importing import workspace

ROWS = 100_000
TARGET = 2.5


def main() -> None:
    """Prints the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    html, plain = tables(rows)
    texts, marked, peaks = [], [], []
    for _ in range(measure.RUNS):
        with measure.scratch() as folder:
            texts.append(imported(folder / "w", plain, rows, {"markup": "text"}))
        with measure.scratch() as folder, measure.memory() as memory:
            marked.append(imported(folder / "w", html, rows, {"markup": "html", "namespace": "forum"}))
        peaks.append(memory.peak / 1e9)
    ratio = measure.median(marked) / measure.median(texts)
    size = pq.read_table(html, columns=["text"]).nbytes
    print(f"{rows:,} posts in HTML, {size / rows:.0f} bytes each: ratio {ratio:.2f} (target {TARGET})")
    print(f"  HTML {', '.join(f'{s:.2f}' for s in marked)} s; text {', '.join(f'{s:.2f}' for s in texts)} s")
    print(f"  peak memory {max(peaks):.2f} GB")


def tables(rows: int) -> tuple[Path, Path]:
    """The posts in HTML, and as plain text, made if they are not there."""
    html, plain = (posts.FOLDER / f"{kind}-{rows}.parquet" for kind in ("html", "plain"))
    if not html.exists() or not plain.exists():
        table = pq.read_table(posts.table(rows)).drop_columns(["spans"])
        written = [_set(text, number) for number, text in enumerate(table["text"].to_pylist())]
        said = [to_plain(Markup.HTML, one, in_namespace("forum"))[0] for one in written]
        for path, texts in ((html, written), (plain, said)):
            pq.write_table(table.set_column(table.schema.get_field_index("text"), "text", pa.array(texts)), path)
    return html, plain


def _set(words: str, number: int) -> str:
    """A text set in HTML; each takes another shape, and the same one each time."""
    rng = np.random.default_rng(number)
    pieces = words.replace("&", "&amp;").replace("<", "&lt;").split(" ")
    parts = [f"<p>{' '.join(piece)}</p>" for piece in np.array_split(np.array(pieces), rng.integers(1, 5))]
    person, other = f"user_{number * 7 % 9000}", f"user_{number * 11 % 9000}"
    if rng.random() < 0.35:
        parts[0] = parts[0].replace("<p>", f'<p><a class="mention" href="/u/{person}">@{person}</a> ', 1)
    if rng.random() < 0.3:
        parts.insert(
            0,
            f'<aside class="quote no-group" data-username="{other}" '
            f'data-post="{number % 90}" data-topic="{number // 90}">'
            f'\n<div class="title">\n<div class="quote-controls"></div>\n<img alt="" width="24" height="24" '
            f'src="https://forum.example/avatar/{other}/48.png" class="avatar"> {other}:</div>\n<blockquote>\n'
            f"<p>{' '.join(pieces[:12])}</p>\n</blockquote>\n</aside>",
        )
    if rng.random() < 0.1:
        parts.append("<ul>\n" + "".join(f"<li>{one}</li>\n" for one in pieces[:4]) + "</ul>")
    link = f' <a href="https://example.com/{number}" rel="noopener nofollow ugc">{pieces[0]}</a> <em>{pieces[-1]}</em>'
    parts[-1] = parts[-1].replace("</p>", f"{link}</p>")
    return "\n".join(parts)


def imported(root: Path, source: Path, rows: int, options: dict[str, object]) -> float:
    """Seconds that the import takes."""
    made = workspace(root, rows)
    batches = load_source("table").read([str(source)], options)
    return import_items(made, "table", batches, workers=os.cpu_count() or 1).seconds


if __name__ == "__main__":
    main()
