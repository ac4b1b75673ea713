"""The page: golden, at most a hundred columns wide, honest."""

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from calling import Demur
from pages import text_of
from sheets import read_sheet

from demur import extras
from demur.demo.modelled import PROVES, PROVES_NOT, Checked, Modelled, Stand
from demur.demo.page import REASONS, WAVES, WIDTH, render
from demur.demo.report import Cost, Example, Imported, Published, Report, Told, percentile
from demur.demo.sheet import sheet
from demur.terms import Kind, Reason
from demur.training.audit.figure import Figure, Finding, NotRun
from demur.training.audit.report import MEANS, Audit

GOLDEN = Path(__file__).parent / "page.txt"


@pytest.fixture
def report() -> Report:
    left_out = Counter({reason: 7 * at for at, reason in enumerate(Reason) if at not in {16, 19, 20, 22}})
    return Report(
        seed=21,
        people=2000,
        accounts=2506,
        languages=12,
        folder=Path("/home/ann/my demo"),
        export=Path("/home/ann/my demo/exports/v3"),
        imports=[
            Imported(
                wave, 20_000 + left_out.total() * at, 20_000, Counter({r: n * at for r, n in left_out.items()}), 1.5
            )
            for at, wave in enumerate(WAVES)
        ],
        offered=Counter(dict.fromkeys(Kind, 5000)),
        exported=Counter({kind: 400 * at for at, kind in enumerate(Kind)}),
        costs=[Cost(20 + at * at / 50, at % 30, at % 7) for at in range(80)],
        withdrawals=10,
        links=6,
        versions=[Published("v1", 18_000, 28), Published("v2", 30_000, 54), Published("v3", 31_000, 80)],
        examples=[
            Example(
                "A quote of somebody who objected", "So true: “I like tea.”\nMe too.", "So true: “[quote]”\nMe too."
            ),
            Example(
                "Their name without markup (German)",
                "Hallo Jöremar, danke.",
                "Hallo [person], danke.",
                ("Jöremar: vocative, 100, masked (given name of somebody who takes part +82, in a reply to them +6)",),
            ),
            Example("A way to reach somebody, whoever it is", "Write to " + "a b " * 50, "Write to [person]"),
        ],
        findings=[],
        residual=[],
        account="forum:marivane7",
        told=Told(
            campaign="autumn",
            mails=1545,
            unreached=140,
            outbox=Path("/home/ann/my demo/outbox"),
            portal="http://127.0.0.1:8470",
            mail=Path(f"/home/ann/my demo/outbox/{'5a' * 20}@harbour.example.eml"),
            link=f"http://127.0.0.1:8470/en/o/{'Ab9_' * 9}",
            seconds=5.1,
        ),
        seconds=21.34,
    )


FIGURES = (
    Figure("auc", 0.605, "AUC", 146, "persons", (0.463, 0.732)),
    Figure("tpr_at_0.01", None, "share of members", 146, "persons", note="from 100 held out on"),
    Figure("auc_worst_tenth", 0.75, "AUC", 36, "persons", note="chance alone would make it .66"),
)
AUDITED = Audit(
    about={
        "run": "harbour",
        "model": "0002",
        "version": "v3",
        "certificate": "ef" * 32,
        "weights": "cd" * 32,
        "whole": True,
        "config": "01" * 32,
        "environment": {"torch": "2.13.0"},
    },
    people={
        "members": 122,
        "members_of": 122,
        "held_out": 58,
        "held_out_of": 58,
        "rows": 900,
        "tokens": 30_000,
        "tokens_a_person_at_most": 4096,
        "rows_passed_over": 0,
        "seed": 7,
    },
    findings=[Finding("reference", "Did it become likelier?", "membership inference", "probabilities", FIGURES)],
    not_run=[NotRun("inversion", "nothing here stands for it")],
    made=datetime(2026, 11, 30, tzinfo=UTC),
)


@pytest.fixture
def model() -> Modelled:
    return Modelled(
        run="harbour",
        version="v3",
        parameters=134_000,
        declared=61_000,
        rows=2900,
        canaries=24,
        accounts=310,
        tokens=120_000,
        steps=59,
        checkpoints=16,
        classes=[Stand(513, 1024, 140, 1500, 0.625), Stand(257, 512, 130, 1380, 0.37), Stand(1, 1, 1, 20, 0.005)],
        expected=0.55,
        trained_seconds=21.5,
        account="forum:doramar9",
        theirs=14,
        moved_seconds=0.0214,
        at_once=30,
        begun=30,
        first=33,
        again=48_000,
        steps_after=58,
        replayed_seconds=9.25,
        serving="harbour/0002",
        people_before=310,
        people_after=309,
        weights_before="ab" * 32,
        weights_after="cd" * 32,
        certificate="ef" * 32,
        checked=Checked(58, 18.75),
        audit=AUDITED,
        audited_seconds=31.25,
    )


def test_golden(report: Report) -> None:
    page = render(report)
    if os.environ.get("DEMUR_GOLDEN") == "write":
        GOLDEN.write_text(page, "utf-8")
    assert page == GOLDEN.read_text("utf-8")


def test_a_shell_that_does_not_know_the_command_is_told_how(report: Report) -> None:
    page = render(report, "source /home/ann/demur/.venv/bin/activate")
    assert page.index("  source /home/ann/demur/.venv/bin/activate\n") < page.index("  demur serve\n")
    assert "activate" not in render(report)


def test_fits_the_width_and_has_no_trailing_blanks(report: Report) -> None:
    for line in render(report).splitlines():
        assert len(line) <= WIDTH
        assert line == line.rstrip()


def test_every_reason_and_kind_is_on_it(report: Report) -> None:
    assert set(REASONS) == set(Reason)
    page = render(report)
    assert all(f"  {reason} " in page for reason in Reason)
    assert all(f"  {kind} " in page for kind in Kind)


def test_never_claims_compliance(report: Report) -> None:
    page = render(report).lower()
    assert not any(word in page for word in ("complian", "compl" + "ies", "gdpr-ready", "guarantee", "anonymous"))
    assert "it does not mean" in page


def test_a_residual_is_told_in_full_up_to_ten(report: Report) -> None:
    page = render(replace(report, residual=[f"forum:{at}-1 is missing" for at in range(1, 1235)]))
    assert "The residual: 1234" in page
    assert page.count("is missing") == 10
    assert "and 1,224 more" in page


def test_what_verify_found_is_told(report: Report) -> None:
    broken = replace(report, findings=["row 1 is not as it was published"])
    assert "! row 1 is not as it was published" in render(broken)
    assert not broken.clean
    assert report.clean


def test_a_report_of_nothing_renders(report: Report) -> None:
    empty = replace(report, costs=[], examples=[], imports=[], offered=Counter(), exported=Counter())
    assert "0 objections" in render(empty)


def test_the_same_as_a_page_for_those_who_rather_look(report: Report) -> None:
    tree = read_sheet(sheet(report, made=datetime(2026, 11, 29, 12, tzinfo=UTC), activate="source x/activate"))
    words = text_of(next(tree.iter("main")))
    assert len(list(tree.iter("figure"))) == 4
    for said in ("the last version, v3 26,400", "[quote]", "source x/activate", "It does not mean", "v1 18,000 28 52"):
        assert said in words
    assert all(f"{reason} {report.left_out[reason]:,} {REASONS[reason]}" in words for reason in Reason)
    assert "complian" not in words.lower()


def test_a_report_of_nothing_is_a_page_too(report: Report) -> None:
    empty = replace(report, costs=[], examples=[], imports=[], offered=Counter(), exported=Counter())
    assert read_sheet(sheet(empty, made=datetime(2026, 11, 29, 12, tzinfo=UTC))) is not None


def test_what_came_of_a_model_is_told_on_both_pages(report: Report, model: Modelled) -> None:
    trained = replace(report, model=model)
    page = render(trained)
    tree = read_sheet(sheet(trained, made=datetime(2026, 11, 29, 12, tzinfo=UTC)))
    for words in (" ".join(page.split()), text_of(next(tree.iter("main")))):
        for said in (
            "120,000 tokens of 2,900 rows of v3, that concern 310 accounts, and 24 canaries that nobody wrote, in",
            "Until then checkpoint 59 served. 21 ms later",
            "what serves was checkpoint 30, which never saw them",
            "trained 48,000 tokens again, 40% of the personal phase",
            "on average, it is 55%",
            "Now harbour/0002 serves, at checkpoint 58",
            "trained all 58 steps from the base, without whoever objected",
            model.certificate,
            model.weights_before,
            model.weights_after,
            "demur replay harbour --spot 2",
            *PROVES,
            *PROVES_NOT,
        ):
            assert said in words
    for line in page.splitlines():
        assert len(line) <= WIDTH
        assert line == line.rstrip()
    promised = " ".join(page.split()).replace(MEANS, "").lower()  # that it is not anonymous may be said
    assert not any(word in promised for word in ("complian", "guarantee", "anonymous"))
    assert "0.605 [0.463, 0.732]" in page
    assert "0.750 (no interval)" in page
    assert len(list(tree.iter("figure"))) == 6


def test_the_base_serves_where_no_later_checkpoint_may(report: Report, model: Modelled) -> None:
    page = render(replace(report, model=replace(model, at_once=0, begun=0, first=None)))
    words = " ".join(page.split())
    assert "what serves was the base, checkpoint 0, which never saw them" in words
    assert "no step of it differs" in words


def test_a_model_needs_the_extra(demur: Demur, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "_is_there", lambda _: False)
    done = demur("demo", "--train", tmp_path / "demo")
    assert done.code == 2
    assert done.err.strip().endswith("`demur demo --train` needs demur[train]: pip install 'demur[train]'.")
    assert not (tmp_path / "demo").exists()


def test_percentiles_are_nearest_ranks() -> None:
    assert percentile([], 0.5) == 0.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(at) for at in range(1, 101)], 0.95) == 95.0
