"""demur.toml: written whole, read back equal, and each mistake told in one sentence with its line."""

import pickle
import re
import string
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demur.errors import PolicyError
from demur.policy import Policy, Section, load_policy, locate, meaning_of, place, render_policy, write_policy
from demur.policy.fields import COUNTRIES
from demur.terms import Audience, Basis, Kind

DAY = date(2026, 12, 1)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "demur.toml"
    write_policy(Policy(effective_date=DAY), path)
    return path


def _edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


def _sentence(path: Path) -> str:
    with pytest.raises(PolicyError) as raised:
        load_policy(path)
    sentence = str(raised.value)
    assert "\n" not in sentence
    assert sentence[-1] in ".?"
    return sentence.replace(str(path), path.name)


# Round trips


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
words = st.text(string.ascii_lowercase + "-_.é ", min_size=1, max_size=8)
days = st.dates()
scalars = (
    texts
    | st.integers()
    | st.floats(allow_nan=False)
    | st.booleans()
    | days
    | st.times()
    | st.datetimes(timezones=st.just(UTC) | st.none())
)
options = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def _several(values: object) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4)  # type: ignore[call-overload]


assessments = st.fixed_dictionaries({"document": texts, "date": st.none() | days, "signed_by": texts})
policies = st.builds(
    Policy.model_validate,
    st.fixed_dictionaries(
        {
            "effective_date": days,
            "regions": st.just("any") | _several(COUNTRIES),
            "controller": st.fixed_dictionaries(
                {"name": texts, "address": texts, "dpo": st.sampled_from(["", "a@b.example"])}
            ),
            "basis": st.fixed_dictionaries(
                {"use": st.sampled_from([str(basis) for basis in Basis]), "public_task": assessments}
            ),
            "notice": st.fixed_dictionaries(
                {
                    "required": st.booleans(),
                    "period_days": st.integers(0, 36_500),
                    "in_app": st.sampled_from(["none", "pull", "webhook"]),
                    "wording": st.dictionaries(
                        st.sampled_from(["en", "pt-BR", "mt"]),
                        st.fixed_dictionaries({"purpose": texts, "source": texts}),
                    ),
                }
            ),
            "portal": st.fixed_dictionaries(
                {"url": st.sampled_from(["https://a.example"]), "attachment_mb": st.integers(0, 100)}
            ),
            "mail": st.fixed_dictionaries({"server": st.sampled_from(["", "a.example:25"]), "user": texts}),
            "door": st.fixed_dictionaries(
                {
                    "kinds": _several(map(str, Kind)),
                    "audiences": _several(map(str, Audience)),
                    "origins": st.just("any") | st.lists(words.filter(str.strip), min_size=1, max_size=3),
                    "since": st.none() | days,
                    "minimum_age": st.integers(18, 150),
                }
            ),
            "register": st.fixed_dictionaries({"url": st.sampled_from(["", "sqlite:///r.db"])}),
            "sources": st.dictionaries(words, st.dictionaries(words, options, max_size=4), max_size=3),
        }
    ),
)


@given(policies)
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, policy: Policy) -> None:
    path = tmp_path_factory.mktemp("policy") / "demur.toml"
    write_policy(policy, path)
    assert load_policy(path) == policy


@given(policies)
@settings(max_examples=50, deadline=None)
def test_every_key_of_any_policy_is_located_on_its_own_line(policy: Policy) -> None:
    text = render_policy(policy)
    lines = text.split("\n")
    for path in _keys(Policy):
        line = locate(text, path)
        assert line is not None
        assert lines[line - 1].startswith((f"{path[-1]} = ", f"[{'.'.join(path)}]"))


def _keys(model: type[Section], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, info in model.model_fields.items():
        path = (*above, info.alias or name)
        found.append(path)
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            found += _keys(info.annotation, path)
    return found


def test_every_key_is_written_uncommented_and_explained(written: Path) -> None:
    text = written.read_text("utf-8")
    table = tomllib.loads(text)
    for path in _keys(Policy):
        value: object = table
        for part in path:
            assert isinstance(value, dict)
            value = value[part]
    lines = text.split("\n")
    first_uses = {line.split(" = ")[0]: at for at, line in reversed(list(enumerate(lines))) if " = " in line}
    assert all(lines[at - 1].startswith("# ") for at in first_uses.values())


def test_every_field_says_its_meaning() -> None:
    def check(model: type[Section]) -> None:
        for name, info in model.model_fields.items():
            assert meaning_of(model, name), f"{model.__name__}.{name} has no docstring"
            if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
                check(info.annotation)

    check(Policy)


def test_a_file_saved_by_other_editors_is_read(written: Path) -> None:
    text = written.read_text("utf-8")
    written.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_policy(written) == Policy(effective_date=DAY)
    assert locate(text.replace("\n", "\r\n"), "door.since") == locate(text, "door.since")


def test_a_day_may_stand_in_quotes(written: Path) -> None:
    assert load_policy(_edited(written, 'since = ""', 'since = "2020-02-29"')).door.since == date(2020, 2, 29)


def test_writing_replaces_the_file_in_one_step(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.read_bytes()
    full = OSError(28, "No space left on device")

    def fail(_descriptor: int) -> None:
        raise full

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_policy(Policy(effective_date=date(2027, 1, 1)), written)
    assert written.read_bytes() == before
    assert [entry.name for entry in written.parent.iterdir()] == ["demur.toml"]


def test_an_option_that_toml_lacks_is_told() -> None:
    policy = Policy(effective_date=DAY, sources={"table": {"columns": {"text": None}}})
    with pytest.raises(PolicyError, match=r"`sources\.table\.columns\.text` can't be written"):
        render_policy(policy)


# Safe defaults


def test_the_defaults_are_the_safe_ones() -> None:
    policy = Policy(effective_date=DAY)
    assert policy.regions == "any"
    assert policy.door.audiences == (Audience.PUBLIC,)
    assert set(policy.door.kinds) == set(Kind) - {Kind.MESSAGE}
    assert policy.door.minimum_age == 18
    assert policy.door.unknown_age == policy.door.unknown_region == "leave-out"
    assert policy.door.origins == ("first-party",)
    assert policy.notice.required
    assert policy.notice.period_days == 30
    assert not policy.basis.signed
    assert set(policy.identifiers.model_dump(exclude={"region"}).values()) == {"replace"}
    assert policy.identifiers.region == ""
    assert policy.home is None


@pytest.mark.parametrize("basis", list(Basis))
def test_a_basis_is_signed_when_document_day_and_signature_are_there(basis: Basis) -> None:
    whole = {"document": "lia.pdf", "date": DAY, "signed_by": "DPO"}
    name = basis.replace("-", "_")
    for missing in ("", *whole):
        given_ = {key: value for key, value in whole.items() if key != missing}
        policy = Policy.model_validate({"effective_date": DAY, "basis": {"use": basis, name: given_}})
        assert policy.basis.signed is (missing == "")


def test_a_policy_crosses_to_worker_processes() -> None:
    policy = Policy(effective_date=DAY, sources={"table": {"columns": {"text": "body"}}})
    assert pickle.loads(pickle.dumps(policy)) == policy


# The hash of the rules


@pytest.mark.parametrize(
    ("change", "decides"),
    [
        ({"regions": ["DE"]}, True),
        ({"basis": {"use": "consent"}}, True),
        ({"notice": {"required": False}}, True),
        ({"notice": {"period_days": 31}}, True),
        ({"door": {"unknown_age": "use"}}, True),
        ({"others": {"quotes": "drop"}}, True),
        ({"others": {"names": "keep"}}, True),
        ({"others": {"names_from": 60}}, True),
        ({"others": {"copies": "drop"}}, True),
        ({"others": {"copies_from": 60}}, True),
        ({"identifiers": {"ip": "keep"}}, True),
        ({"identifiers": {"region": "DE"}}, True),
        ({"notice": {"languages": ["de"]}}, False),
        ({"controller": {"name": "Example"}}, False),
        ({"retention": {"versions_days": 1}}, False),
        ({"register": {"url": "sqlite:///r.db"}}, False),
        ({"sources": {"irc": {"network": "x"}}}, False),
    ],
)
def test_the_hash_changes_with_what_decides_and_with_nothing_else(change: dict[str, object], *, decides: bool) -> None:
    plain = Policy(effective_date=DAY)
    changed = Policy.model_validate({"effective_date": DAY, **change})
    assert (changed.rules_hash() != plain.rules_hash()) is decides


def test_the_hash_is_the_same_whatever_the_order_of_a_list() -> None:
    orders = (("DE", "FR"), ("FR", "DE", "FR"))
    one, other = (Policy(effective_date=DAY, regions=order).rules_hash() for order in orders)
    assert one == other


def test_the_hash_is_the_same_in_every_release() -> None:
    golden = "253bf1785f7471e3828ab03d029d13ce87970cc49b3252bdb41a5483a0bf508f"
    assert Policy(effective_date=DAY).rules_hash() == golden


# Mistakes


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "period_days = 30",
            "perod_days = 30",
            "Unknown key `notice.perod_days` in demur.toml line 80: did you mean `period_days`?",
        ),
        ("[door]", "[dor]", "Unknown key `dor` in demur.toml line 91: did you mean `door`?"),
        (
            "[basis.legal_obligation]",
            "[basis.legal-obligation]",
            "Unknown key `basis.legal-obligation` in demur.toml line 52: did you mean `legal_obligation`?",
        ),
        (
            "versions_days = 30",
            "zzz = 1",
            "Unknown key `retention.zzz` in demur.toml line 161: known here: `versions_days`.",
        ),
        (
            'regions = "any"',
            'regions = ["DE", "UK"]',
            '`regions` in demur.toml line 7 has "UK", which is no ISO 3166-1 alpha-2 code: write "GB".',
        ),
        (
            'regions = "any"',
            'regions = ["de"]',
            '`regions` in demur.toml line 7 has "de", which is no ISO 3166-1 alpha-2 code: write "DE".',
        ),
        (
            'regions = "any"',
            'regions = ["EU"]',
            '`regions` in demur.toml line 7 lists "EU", a group whose members change: write the countries themselves.',
        ),
        (
            'regions = "any"',
            'regions = "DE"',
            '`regions` in demur.toml line 7 is neither the word any nor a list of texts: write "any" or ["DE", "FR"].',
        ),
        (
            'regions = "any"',
            "regions = []",
            "`regions` in demur.toml line 7 is an empty list, so that nothing could come in: list at least one.",
        ),
        (
            "minimum_age = 18",
            "minimum_age = 16",
            "`door.minimum_age` in demur.toml line 103 is 16: minors are never used, write 18 or more.",
        ),
        (
            "minimum_age = 18",
            "minimum_age = 200",
            (
                "`door.minimum_age` in demur.toml line 103 is 200, so that nobody could come in: "
                "write 18 or somewhat more."
            ),
        ),
        (
            'unknown_age = "leave-out"',
            'unknown_age = "leave_out"',
            '`door.unknown_age` in demur.toml line 105 has "leave_out": did you mean "leave-out"?',
        ),
        (
            'unknown_age = "leave-out"',
            "unknown_age = 0",
            '`door.unknown_age` in demur.toml line 105 has 0: write "leave-out" or "use".',
        ),
        (
            'audiences = ["public"]',
            'audiences = ["publik"]',
            '`door.audiences` in demur.toml line 95 has "publik": did you mean "public"?',
        ),
        (
            'audiences = ["public"]',
            'audiences = "public"',
            '`door.audiences` in demur.toml line 95 is "public": write a list, like ["public"].',
        ),
        (
            "required = true",
            'required = "yes"',
            '`notice.required` in demur.toml line 78 is "yes": write true or false.',
        ),
        (
            "period_days = 30",
            "period_days = -1",
            "`notice.period_days` in demur.toml line 80 is -1: write 0 or more.",
        ),
        (
            "period_days = 30",
            "period_days = 1.5",
            "`notice.period_days` in demur.toml line 80 is 1.5: write a whole number.",
        ),
        (
            'languages = ["en"]',
            'languages = ["german!"]',
            (
                '`notice.languages` in demur.toml line 82 has "german!", which is no BCP 47 language tag: '
                'write one like "de" or "pt-BR".'
            ),
        ),
        (
            'since = ""',
            'since = "last year"',
            '`door.since` in demur.toml line 99 is no day: write one like 2026-12-31, or "" for none.',
        ),
        (
            "effective_date = 2026-12-01",
            "effective_date = 2026-12-01T10:00:00Z",
            "`effective_date` in demur.toml line 9 is no day: write one like 2026-12-31.",
        ),
        (
            "effective_date = 2026-12-01\n",
            "",
            "`effective_date` is missing in demur.toml: add a line, for instance effective_date = 2026-12-31.",
        ),
        (
            'contact = ""',
            'contact = "ann"',
            (
                "`controller.contact` in demur.toml line 16 is no mail address: "
                'write one like "privacy@example.org", or "" for none.'
            ),
        ),
        (
            'name = ""',
            "name = 3",
            "`controller.name` in demur.toml line 14 is 3: write text in quotation marks.",
        ),
        (
            'user@host/database".\nurl = ""',
            'user@host/database".\nurl = "mysql://ann:secret@db/x"',
            (
                '`register.url` in demur.toml line 220 is no register URL: write "", "sqlite:///register.db" '
                'or "postgresql://user@host/database".'
            ),
        ),
        (
            "[sources]",
            "[sources]\nirc = 1",
            "`sources.irc` in demur.toml line 260 is 1: this is the name of a table, not of a key.",
        ),
        (
            "[notice.wording]",
            '[notice.wording.de]\ntransfer = "none"',
            "Unknown key `notice.wording.de.transfer` in demur.toml line 89: did you mean `transfers`?",
        ),
        (
            "[notice.wording]",
            '[notice.wording]\nde = "none"',
            '`notice.wording.de` in demur.toml line 89 is "none": this is the name of a table, not of a key.',
        ),
        (
            'url = "http://127.0.0.1:8470"',
            'url = "object.example/portal"',
            (
                "`portal.url` in demur.toml line 181 is no address of a site: "
                'write one like "https://object.example.org", without a path or a last slash.'
            ),
        ),
        (
            'server = ""',
            'server = "smtp.example"',
            (
                '`mail.server` in demur.toml line 199 is no mail server: write one like "smtp.example.org:587", '
                'or "" for the workspace\'s own outbox.'
            ),
        ),
        (
            'bounce_address = ""',
            'bounce_address = "returned-notices-of-ours+{code}@town.example"',
            (
                "`mail.bounce_address` in demur.toml line 197 is no mail address of at most 19 characters besides "
                '{code} before its @: write one like "bounce+{code}@example.org", or "" for none.'
            ),
        ),
        (
            'regions = "any"',
            'regions = "any"\ncontroller = 1\n#',
            "demur.toml line 14 is no valid TOML (cannot overwrite a value): correct that line.",
        ),
        (
            'origins = ["first-party"]',
            'origins = [" "]',
            '`door.origins` in demur.toml line 97 has an empty name: write "first-party" or the name of a third party.',
        ),
        (
            "format = 1",
            "format = 2",
            "demur.toml has format 2, written by a newer version of demur: update demur to read it.",
        ),
        ("format = 1", "format = 0", "`format` in demur.toml line 5 is not 1: write 1."),
        (
            "minimum_age = 18",
            "minimum_age = ",
            "demur.toml line 103 is no valid TOML (invalid value): correct that line.",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(written: Path, old: str, new: str, sentence: str) -> None:
    assert _sentence(_edited(written, old, new)) == sentence


def test_of_several_mistakes_the_first_in_the_file_is_told(written: Path) -> None:
    _edited(written, "minimum_age = 18", "minimum_age = 3")
    _edited(written, "period_days = 30", "perod_days = 30")
    assert "line 80" in _sentence(written)


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _latin(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n# caf\xe9\n")


@pytest.mark.parametrize(
    ("harm", "pattern"),
    [
        (_gone, r"demur\.toml does not exist: `demur init` writes one\."),
        (_folder, r"demur\.toml can't be read \(Is a directory\)"),
        (_latin, r"demur\.toml line 2[1-6]\d is not UTF-8: save the file as UTF-8\."),
    ],
)
def test_a_file_that_cannot_be_read_is_told(written: Path, harm: Callable[[Path], None], pattern: str) -> None:
    harm(written)
    assert re.search(pattern, _sentence(written))


# Places


HARD_TO_READ = '''
# [door] in a comment
a.b = 1
text = """
[door]
since = 1
"""
list = [
  "x", # ]
  ["[door]"],
]
[door]
"since" = 2
'quo.ted' = 3
inline = { deep = { er = 4 } }
[[many]]
one = 1
[many.sub]
two = 2
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("a.b", 3),
        ("text", 4),
        ("list", 8),
        ("door", 12),
        ("door.since", 13),
        (("door", "quo.ted"), 14),
        ("door.inline.deep.er", 15),
        ("many", 16),
        ("many.one", 17),
        ("many.sub.two", 19),
        ("door.missing", None),
        ("since", None),
    ],
)
def test_a_key_is_located_as_toml_reads_it(key: str | tuple[str, ...], line: int | None) -> None:
    assert locate(HARD_TO_READ, key) == line


def test_a_place_says_where_a_missing_key_belongs() -> None:
    path = Path("x/demur.toml")
    assert place(path, "door.since", HARD_TO_READ) == "line 13 of demur.toml (door.since)"
    assert place(path, "door.kinds", HARD_TO_READ) == "demur.toml (add kinds under [door])"
    assert place(path, "regions", HARD_TO_READ) == "demur.toml (add regions at the top)"


def test_times_survive_in_the_options_of_a_source(tmp_path: Path) -> None:
    moments = {"day": DAY, "at": time(1, 2, 3, 4), "moment": datetime(2026, 1, 1, tzinfo=UTC)}
    policy = Policy(effective_date=DAY, sources={"table": {"columns": moments}})
    write_policy(policy, tmp_path / "demur.toml")
    assert load_policy(tmp_path / "demur.toml").sources["table"] == {"columns": moments}
