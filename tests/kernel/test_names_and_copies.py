"""The kernel on the words of single items, with the real finders: whom they name, and whose words they copy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from making import PEPPER, batch, item, keys, open_policy, rules, span

from demur.kernel.door import KEPT, REASONS, WAITS
from demur.kernel.evidence import FINGERPRINTS, writing_of
from demur.kernel.govern import Answer, govern
from demur.kernel.keying import Keyer, keyed
from demur.kernel.rules import Rules
from demur.people.compiled import Compiler
from demur.people.context import Context, pairs
from demur.people.finding.reasons import said_in_words
from demur.people.index import PeopleIndex
from demur.policy import Others
from demur.suppression.copies import Copies
from demur.terms import Reason
from demur.words.keys import WordKeys

OBJECTOR = "forum:marv7"
NAME = "Marvina Quillstone"
ESSAY = (
    "Last week the old ferry carried nine goats, a piano and two very patient bakers across the bay,"
    " and nobody on either shore had the heart to ask them why they went."
)


def knowing(others: Others | None = None, *, names: bool = True, copies: bool = False, objected: bool = True) -> Rules:
    """Rules under which one person objected, of whom a name, and what they wrote, may be known."""
    plain = rules(open_policy(others=others or Others()), [OBJECTOR] if objected else [])
    subject = int(keys(OBJECTOR)[0])
    compiled = Compiler(WordKeys(PEPPER.secret)).name(NAME, ("en",))
    index = PeopleIndex.build([(subject, compiled)]) if names else None
    return replace(plain, people=index, copies=written() if copies else None)


def written() -> Copies:
    """The fingerprints of what the objector wrote, as the kernel hands them on."""
    answer = govern(batch([item("1", OBJECTOR, ESSAY)]), rules(objected=[OBJECTOR]))
    return Copies.build(pa.Table.from_batches([answer.fingerprints]).select(FINGERPRINTS.names))


def reason_of(answer: Answer) -> Reason | None:
    code = int(answer.codes[0])
    return None if code == KEPT else REASONS[code]


def kept(answer: Answer) -> dict[str, Any]:
    (only,) = answer.kept.to_pylist()
    assert isinstance(only, dict)
    return only


def at_rest(row: Mapping[str, Any], under: Rules, context: Context | None = None) -> Answer:
    """A row governed once more, after it was kept under rules that knew nobody."""
    first = govern(batch([row]), rules()).kept
    return govern(first, under, context or Context())


def roles(row: Mapping[str, Any]) -> list[tuple[str, str, object]]:
    text = row["text"]
    return [(each["role"], text[each["start"] : each["end"]], each["subject"]) for each in row["spans"]]


THREAD = item("2", "forum:bo", "Hi Marvina, thanks for that.", parent="forum:1", thread="forum:1")


def threaded(*authors: str) -> Context:
    """In the thread of forum:1 some people take part, the first of whom wrote its root."""
    rows = keyed(batch([THREAD]), Keyer(PEPPER))
    writing = writing_of(rows)
    who = PEPPER.subject_keys(authors)
    return Context(
        takes_part=pairs(writing.thread.repeat(len(who)), who), wrote=pairs(writing.parent.repeat(1), who[:1])
    )


def test_a_full_name_is_masked_and_leaves_a_trace_that_names_nobody() -> None:
    row = kept(govern(batch([item("2", "forum:bo", f"I asked {NAME} about it.")]), knowing()))
    assert row["text"] == "I asked [person] about it."
    assert roles(row) == [("withheld-name", "[person]", None)]
    assert row["subjects"] == []


@pytest.mark.parametrize(
    ("under", "text"),
    [
        (knowing(objected=False), f"I asked {NAME}."),
        (knowing(names=False), f"I asked {NAME}."),
        (knowing(), "I asked Marvina Bennett, and Tom Quillstoner."),
        (knowing(), f"<b>{NAME[:4]}</b> is cut short."),
    ],
    ids=["nobody objected", "no names are known", "somebody else", "a piece of a name"],
)
def test_what_names_nobody_who_is_withheld_stands(under: Rules, text: str) -> None:
    row = kept(govern(batch([item("2", "forum:bo", text)]), under))
    assert row["text"] == text
    assert row["spans"] == []


def test_an_import_and_an_objection_leave_the_same_row() -> None:
    row = item("2", "forum:bo", f"{NAME} says hello. So does Marvina Bennett.")
    assert kept(at_rest(row, knowing())) == kept(govern(batch([row]), knowing()))


def test_a_given_name_counts_where_its_bearer_takes_part() -> None:
    apart, within = threaded("forum:cy"), threaded(OBJECTOR)
    assert kept(govern(batch([THREAD]), knowing(), apart))["text"] == THREAD["text"]
    assert kept(govern(batch([THREAD]), knowing(), within))["text"] == "Hi [person], thanks for that."
    assert kept(at_rest(THREAD, knowing(), within))["text"] == "Hi [person], thanks for that."


def test_a_row_that_hangs_on_its_thread_waits_and_is_then_decided_as_if_it_had_not() -> None:
    other = item("3", "forum:bo", f"{NAME} wrote that, @cy.")
    answer = govern(batch([THREAD, other]), knowing(), None)
    assert answer.codes[0] == WAITS
    assert answer.uncertain.num_rows == 0
    assert not any("Marvina" in text for text in answer.kept.column("text").to_pylist())
    context = threaded(OBJECTOR)
    later = govern(answer.waiting, knowing(), context)
    at_once = govern(batch([THREAD, other]), knowing(), context)
    both = answer.kept.to_pylist() + later.kept.to_pylist()
    assert sorted(both, key=lambda row: row["item"]) == sorted(at_once.kept.to_pylist(), key=lambda row: row["item"])


def test_words_in_a_mention_are_no_name_whoever_is_mentioned() -> None:
    text = f"I asked {NAME} about it."
    spans = [span(8, 8 + len(NAME), "mention", "forum:cy")]
    row = kept(govern(batch([item("2", "forum:bo", text, spans=spans)]), knowing()))
    assert [role for role, *_ in roles(row)] == ["mention"]


def test_a_name_inside_a_quote_that_is_masked_leaves_no_trace() -> None:
    text = f"As they say: {NAME} knows. I agree."
    spans = [span(13, 13 + len(NAME) + 7, "quote", OBJECTOR)]
    row = kept(govern(batch([item("2", "forum:bo", text, spans=spans)]), knowing()))
    assert row["text"] == "As they say: [quote] I agree."
    assert [role for role, *_ in roles(row)] == []


def test_a_name_does_not_reach_over_the_edge_of_a_quote() -> None:
    text = "So Marvina Quillstone"
    spans = [span(3, 10, "quote", "forum:cy")]
    row = kept(govern(batch([item("2", "forum:bo", text, spans=spans)]), knowing()))
    assert "Marvina" in row["text"]


def test_a_policy_may_drop_who_is_named_also_once_they_are_masked() -> None:
    dropping = knowing(Others(names="drop"))
    row = item("2", "forum:bo", f"I asked {NAME}.")
    assert reason_of(govern(batch([row]), dropping)) is Reason.NAME
    masked = govern(batch([row]), knowing()).kept
    assert reason_of(govern(masked, dropping)) is Reason.NAME
    assert reason_of(govern(masked, rules())) is None


def test_a_score_below_the_policys_stands_and_an_uncertain_find_is_masked_and_noted() -> None:
    row = item("2", "forum:bo", f"I asked {NAME}.")
    strict = govern(batch([row]), knowing(Others(names_from=99, names_sure=99)))
    assert kept(strict)["text"] == row["text"]
    unsure = govern(batch([row]), knowing(Others(names_sure=99)))
    assert kept(unsure)["text"] == "I asked [person]."
    (find,) = unsure.uncertain.to_pylist()
    assert (find["start"], find["end"], find["subject"]) == (8, 8 + len(NAME), int(keys(OBJECTOR)[0]))
    assert set(find) == {"row", "item", "key", "start", "end", "subject", "tier", "score", "reasons"}
    assert said_in_words(find["reasons"]) == ("full name +96",)


def test_a_picture_whose_description_names_somebody_goes_and_the_text_stays() -> None:
    media = [{"uri": "a.jpg", "type": "image/jpeg", "alt": f"{NAME} by the sea", "tagged": []}]
    row = kept(govern(batch([item("2", "forum:bo", "Look.", media=media)]), knowing()))
    assert row["text"] == "Look."
    assert row["media"] == []
    assert kept(at_rest(item("2", "forum:bo", "Look.", media=media), knowing())) == row


def test_a_copy_becomes_a_masked_quote_with_a_trace() -> None:
    row = kept(govern(batch([item("2", "forum:bo", f"Read this. {ESSAY} Is that not fine?")]), knowing(copies=True)))
    assert row["text"].startswith("Read this. [quote]")
    assert "goats" not in row["text"]
    assert "Is that not fine?" in row["text"]
    assert roles(row) == [("withheld-copy", "[quote]", None)]


def test_an_item_that_is_nothing_but_a_copy_is_left_out() -> None:
    row = item("2", "forum:bo", f"“{ESSAY}”")
    assert reason_of(govern(batch([row]), knowing(copies=True))) is Reason.COPY
    assert reason_of(at_rest(row, knowing(copies=True))) is Reason.COPY


def test_a_policy_may_drop_who_copies_also_once_it_is_masked() -> None:
    dropping = knowing(Others(copies="drop"), copies=True)
    row = item("2", "forum:bo", f"Read this. {ESSAY} Is that not fine?")
    assert reason_of(govern(batch([row]), dropping)) is Reason.COPY
    assert reason_of(govern(govern(batch([row]), knowing(copies=True)).kept, dropping)) is Reason.COPY


def test_nobody_copies_themselves_and_nothing_is_a_copy_once_its_author_may_be_used() -> None:
    row = item("2", "forum:bo", ESSAY)
    assert kept(govern(batch([row]), knowing(copies=True, objected=False)))["text"] == ESSAY


@pytest.mark.parametrize("before", ["", "Somebody told me that in some year or other they sat in a boat together. "])
def test_whoever_copies_leaves_fingerprints_of_all_that_they_wrote(before: str) -> None:
    copier, text = "forum:bo", before + ESSAY
    left = govern(batch([item("2", copier, text)]), knowing(copies=True)).fingerprints.drop_columns(["seen"])
    objected = govern(batch([item("2", copier, text)]), rules(objected=[copier])).fingerprints
    assert left.to_pylist() == objected.drop_columns(["seen"]).to_pylist()


def test_what_is_quoted_is_not_the_quoters_own() -> None:
    text = f"So true: {ESSAY} I say no more."
    spans = [span(9, 9 + len(ESSAY), "quote", "forum:cy")]
    answer = govern(batch([item("1", OBJECTOR, text, spans=spans)]), rules(objected=[OBJECTOR]))
    known = Copies.build(pa.Table.from_batches([answer.fingerprints]).select(FINGERPRINTS.names))
    under = replace(knowing(names=False), copies=known)
    assert kept(govern(batch([item("2", "forum:cy", ESSAY)]), under))["text"] == ESSAY


def test_what_is_passed_on_is_not_the_sharers_own() -> None:
    spans = [span(0, len(ESSAY), "reshare", "forum:cy")]
    shared = govern(batch([item("1", OBJECTOR, ESSAY, spans=spans)]), rules(objected=[OBJECTOR]))
    assert reason_of(shared) is Reason.OBJECTED
    assert shared.fingerprints.num_rows == 0
    own = govern(batch([item("1", OBJECTOR, ESSAY)]), rules(objected=[OBJECTOR]))
    assert own.fingerprints.num_rows == 1


def test_a_word_of_an_officer_frees_the_item_it_was_said_of() -> None:
    row = item("2", "forum:bo", f"I asked {NAME}.")
    writing = writing_of(keyed(batch([row]), Keyer(PEPPER)))
    cleared = replace(knowing(), cleared=pairs(writing.item, keys(OBJECTOR)))
    assert kept(govern(batch([row]), cleared))["text"] == row["text"]
    assert kept(govern(batch([row | {"item": "forum:3"}]), cleared))["text"] == "I asked [person]."


def beside(*accounts: str) -> Rules:
    """Rules under which those of some people objected whose accounts are named."""
    compiler = Compiler(WordKeys(PEPPER.secret))
    names = {OBJECTOR: [NAME], "forum:starfishy": [], "forum:Xanthe": [], "forum:anna": ["Anna Kowalska"]}
    compiled = [
        (int(keys(account)[0]), each)
        for account in accounts
        for each in (compiler.handle(account), *(compiler.name(name, ("en",)) for name in names[account]))
    ]
    return replace(rules(open_policy(), accounts), people=PeopleIndex.build(compiled))


@pytest.mark.parametrize(
    ("text", "other", "left"),
    [
        ("So starfishy Quillstone said.", "forum:starfishy", "So [person] said."),
        ("So Anna Kowalska Quillstone said.", "forum:anna", "So [person] said."),
        ("So Marvina Xanthe Quillstone said.", "forum:Xanthe", "So [person] said."),
        ("Quillstone, starfishy said.", "forum:starfishy", "[person], [person] said."),
        ("So starfishy-Quillstone said.", "forum:starfishy", "So [person] said."),
        ("So starfishy\nQuillstone said.", "forum:starfishy", "So [person]\n[person] said."),
    ],
)
def test_names_that_touch_leave_the_same_whoever_objects_first(text: str, other: str, left: str) -> None:
    row, context = item("2", "forum:bo", text, parent="forum:1", thread="forum:1"), threaded(OBJECTOR, other)
    at_once = kept(govern(batch([row]), beside(OBJECTOR, other), context))
    assert at_once["text"] == left
    assert {role for role, *_ in roles(at_once)} == {"withheld-name"}
    for first in (OBJECTOR, other):
        once = govern(batch([row]), beside(first), context).kept
        assert kept(govern(once, beside(OBJECTOR, other), context)) == at_once
        assert (
            kept(govern(govern(once, beside(OBJECTOR, other), context).kept, beside(other, OBJECTOR), context))
            == at_once
        )


def test_names_on_two_sides_of_an_edge_of_a_quote_keep_a_mask_each() -> None:
    text = "So starfishy Quillstone said."
    row = item("2", "forum:bo", text, thread="forum:1", parent="forum:1", spans=[span(0, 12, "quote", "forum:cy")])
    answer = govern(batch([row]), beside(OBJECTOR, "forum:starfishy"), threaded(OBJECTOR))
    assert kept(answer)["text"] == "So [person] [person] said."


def test_a_row_that_waits_is_as_it_came_and_decided_in_rounds_once_its_thread_is_known() -> None:
    row = item("2", "forum:bo", "So starfishy Quillstone said.", parent="forum:1", thread="forum:1")
    under, context = beside(OBJECTOR, "forum:starfishy"), threaded(OBJECTOR)
    answer = govern(batch([row]), under, None)
    assert answer.codes[0] == WAITS
    assert answer.hinted.all()
    assert kept(govern(answer.waiting, under, context)) == kept(govern(batch([row]), under, context))
