"""The model card of a run, in the form of the Hugging Face Hub, and the section *user data* of a training summary.

Invariants: equal facts give equal bytes; text from files can't break out of its place; a count of few is not shown; no
subject key, no account and no text of a person is in it; it states facts, and promises nothing about the law.

The section follows part 2.4 of the template for the public summary of training content (Art. 53(1)(d) of Regulation
(EU) 2024/1689; published on 24 July 2025, C(2025) 8311 of 5 December 2025). Its questions are worded as in summaries
and cards that others published by that template, as its own text was not at hand: compare them before you publish.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from demur.versions.card import cell, languages, table
from demur.versions.few import alone, rounded, shown, told
from demur.versions.modelled import Certified, Family, Modelled

NOT_SHOWN: Final = (
    "that no other model was trained on these rows, here or elsewhere: weights alone can't show it (Thudi et al. 2022)",
    "that what members are said to have written is what they wrote, or that every text by or about somebody was found",
    "anything of weights that left before: whoever holds them was told, or is yet to be",
    "that the model is anonymous, or what it tells to whoever asks: an audit measures that, as far as it goes",
)
"""What no certificate shows."""

LIMITS: Final = (
    "It continues texts. What it says can be wrong, and can repeat what somebody wrote who has not objected.",
    "Names and copies in others' words are found by rules with known rates; what they miss is in the training data.",
    "The output guard is a mitigation: it masks and cuts what it finds, and takes nothing out of the weights.",
    "Counts of 1 to 9 are not shown, and neither is what they would follow from.",
)

_KINDS: Final = {
    "training": "first training",
    "replay": "replay without who objected since (`demur replay --verify` compares it with training from scratch)",
    "retraining": "trained again from the base in another environment, without who objected since",
}

_BODY: Final = """
# {title}

A language model that follows objections (Art. 21 GDPR): trained {trained}, run `{run}`, model `{model}`, on version
`{version}`. Its licence is for the controller to say, and is not set here.

{base}

## What it was trained on

{content}

## Objections

| | objections, to tens |
| --- | --- |
| in force when the version was published: left out of it | {at_publishing} |
| in force when this model was made: left out of it | {at_training} |
| lodged, or in force again, since then | {since} |

What was done, for each group. These are not the same: a filter leaves what a model learned where it is.

| group | what was done | accounts |
| --- | --- | --- |
{done}

{serves} {left}

## Certificates

Each is signed (Ed25519), and named by an entry of the register. SHA-256 of the files:

{certificates}

What no certificate shows:

{not_shown}

## Audit

{audit}

## Limits

{limits}
"""

_USER_DATA: Final = """
## User data

*After part 2.4 of the template for the public summary of training content (Art. 53(1)(d) AI Act). The controller is to
check, complete and publish it; nothing here says that it suffices.*

**Was data from user interactions with the AI model (e.g. user input and prompts) used to train the model?**

Not by demur: it keeps no prompt and no answer, and trains on none. What was done by other means, the controller adds.

**Was data collected from user interactions with the provider's other services or products used to train the model?**

{used}

**General description of the provider's services or products that were used to collect the user data**

{sources}

**Type of modality covered**

Text{media}.

**Additional comments (optional)**

{comments}
"""


def model_card(known: Modelled) -> str:
    """README.md of a model: front matter as the Hub reads it, a page for people, and the section *user data*."""
    body = _BODY.format(
        title=cell(_title(known)),
        trained=f"{known.trained:%Y-%m-%d}",
        run=cell(known.run),
        model=known.model,
        version=cell(known.version or "none"),
        base=_base(known),
        content=_content(known),
        at_publishing="not known" if known.at_publishing is None else told(rounded(known.at_publishing)),
        at_training=told(rounded(known.at_training)),
        since=told(rounded(known.since)),
        done="\n".join(_done(known)),
        serves=f"What answers for the run now: {known.serves}.",
        left=_left(known.left),
        certificates="\n".join(_certificates(known)),
        not_shown=_listed(NOT_SHOWN),
        audit=_audit(known),
        limits=_listed(LIMITS),
    )
    return front_matter(known) + body + user_data(known)


def front_matter(known: Modelled) -> str:
    """The YAML block at the head of the card; each value is JSON, which YAML 1.2 reads."""
    facts: Mapping[str, object] = {
        "library_name": "transformers" if known.config else None,
        "pipeline_tag": "text-generation",
        "language": [] if known.manifest is None else languages(known.manifest),
        "tags": ["demur", "gdpr-objections"],
        "datasets": [] if known.version is None else [known.version],
    }
    lines = [f"{key}: {orjson.dumps(value).decode()}" for key, value in facts.items() if value]
    return "\n".join(["---", *lines, "---", ""])


def user_data(known: Modelled) -> str:
    """The section *user data*."""
    manifest = known.manifest
    used = (
        f"Yes: what members posted, as version {cell(known.version or 'none')} holds it"
        f"{'' if manifest is None else f' ({manifest.content.rows:,} items)'}; purpose and legal basis stand below."
    )
    basis = (
        "not known" if manifest is None else f"{cell(manifest.basis.use)}, assessed in {cell(manifest.basis.document)}"
    )
    comments = [
        "Purpose: " + ("not known" if manifest is None else cell(manifest.purpose)),
        f"Legal basis (Art. 6(1) GDPR): {basis}",
        "Members can object at any time, without a reason; *Objections* says how many did, and what was done",
        "Who objects later is left out of what answers at once, and of the weights with the next replay",
    ]
    kinds = {} if manifest is None else manifest.content.kinds
    pictures = any(kind in kinds for kind in ("photo", "story", "reel"))
    return _USER_DATA.format(
        used=used,
        sources=_sources(known),
        media=" (of pictures the captions alone)" if pictures else "",
        comments=_listed(comments),
    )


def _title(known: Modelled) -> str:
    who = "" if known.manifest is None else known.manifest.controller.strip()
    return f"{who}: {known.run}" if who else known.run


def _base(known: Modelled) -> str:
    if known.base is None:
        return (
            "It was trained by a trainer of the controller's own; demur has its record, and neither weights nor base."
        )
    begun = {
        "fresh": "first weights by a seed",
        "checkpoint": "a checkpoint from elsewhere",
        "run": "the base of a run",
    }
    names = ", ".join(cell(str(each.get("name", ""))) for each in known.base.declared)
    declared = f" and trained on data in which nobody may object ({names})" if names else ""
    said = f"Its base: {begun.get(known.base.kind, cell(known.base.kind))}{declared}; SHA-256 `{known.base.weights}`."
    return said if known.family is None else f"{said}\n\n{_cohorts(known.family)}"


def _cohorts(family: Family) -> str:
    name = cell(family.name)
    if family.cohort:
        return (
            f"It is cohort {family.cohort} of the {family.cohorts} of the family `{name}`, which answers as one model: "
            f"`demur card {name}` is the card of that."
        )
    how = (
        "The mean of their probabilities answers."
        if family.ensemble
        else "One model answers, with the mean of what their adapters add."
    )
    return (
        f"It is a family of {family.cohorts} cohorts, each a run (`{name}.c1` to `{name}.c{family.cohorts}`)."
        " A keyed hash deals people into them, and the rows of each trained adapters over that base. "
        f"{how} Rows of people of several cohorts, which trained none: {alone(family.several)}. Whoever objects "
        "is in one cohort, which goes back, and is trained again; the others stay."
    )


def _content(known: Modelled) -> str:
    if known.manifest is None:
        return "What the version held is not known here: it is gone, or its manifest can't be read."
    content = known.manifest.content
    tables = (("Kind", content.kinds), ("Language", content.languages))
    counts = "\n\n".join(
        table((head, "Items"), [(name or "unknown", told(number)) for name, number in shown(rows).items()])
        for head, rows in tables
    )
    return (
        f"Version `{cell(known.manifest.name)}` of {known.manifest.time:%Y-%m-%d}: {content.rows:,} items. Who "
        f"objected since is in these counts; what was done in the model stands below.\n\n{counts}"
    )


def _done(known: Modelled) -> Iterator[str]:
    yield "| objected before the version was published | filtered: never in the version, so never in the model | |"
    yield "| objected between publishing and training | filtered: left out of every step | |"
    for each in known.certified:
        if each.kind == "replay":
            yield f"| objected later | replayed: not in model `{each.model}` | {alone(each.fewer)} |"
        elif each.kind == "retraining":
            yield f"| objected later | retrained: not in model `{each.model}` | {alone(each.fewer)} |"
    if known.waiting:
        yield (
            "| objected since | rolled back only: what answers never saw them, and weights that did are kept until the "
            f"replay | {alone(known.waiting)} |"
        )


def _left(times: int) -> str:
    if not times:
        return "No weights of it are on record as handed out."
    return f"Times that weights of it were handed out: {times:,}. These follow no objection; `demur recall` lists them."


def _certificates(known: Modelled) -> Iterator[str]:
    yield "| model | what | finished | certificate | checkpoints |"
    yield "| --- | --- | --- | --- | --- |"
    yield from (_certificate(each) for each in known.certified)


def _certificate(each: Certified) -> str:
    digest = f"`{each.digest}`" if each.digest else "none that holds"
    there = "destroyed" if each.destroyed else "kept"
    return f"| `{each.model}` | {_KINDS[each.kind]} | {each.time:%Y-%m-%d} | {digest} | {there} |"


def _audit(known: Modelled) -> str:
    lines = ["This model was not audited: what it tells of the people in it was not measured."]
    if known.audited:
        lines = [
            "An attack that fails shows nothing of one that was not tried. Intervals are of 95 %.",
            "",
            "| attack | figure | value | unit | over | interval | note |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(f"| {' | '.join(cell(each, '') for each in vars(figure).values())} |" for figure in known.audited),
        ]
    if known.not_run:
        tried = [f"{cell(attack)}: {cell(why)}" for attack, why in known.not_run]
        lines += ["", "Not tried:", "", _listed(tried)]
    return "\n".join(lines)


def _sources(known: Modelled) -> str:
    if known.manifest is None:
        return "Not known here."
    kinds = ", ".join(cell(kind) for kind in known.manifest.content.kinds) or "nothing"
    return f"Services of {cell(known.manifest.controller)}; kinds of items: {kinds}. Name the services here."


def _listed(sentences: tuple[str, ...] | list[str]) -> str:
    return "\n".join(f"- {each}" for each in sentences)
