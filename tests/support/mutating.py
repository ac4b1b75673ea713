"""Files for a verifier that somebody changed: the same ones for the same seed.

A change is one of the bytes, of the spelling of the JSON, of a member, of a text inside (entry, salt, proof,
checkpoint), or of the key. What a dishonest holder of the log's key could make is among them: of the files in which a
member or a text was changed, more than half are signed again, so that the change is what is looked at, and not the
signature over it.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

Document = dict[str, Any]
Way = tuple[str | int, ...]
"""The names and numbers that lead to something in a document."""
Change = Callable[[Random, str], str]


@dataclass(frozen=True)
class Material:
    """What files are made of."""

    files: Sequence["Case"]
    """As they are, each with what it is verified with: genuine ones, and forgeries."""
    documents: Sequence[tuple[Document, "Case"]]
    """Genuine ones, as JSON and as they are verified."""
    keys: Sequence[str]
    """Of logs."""
    signed: Callable[[Document], Document]
    """Signs again what a document says; raises KeyError, TypeError or ValueError where nothing is left of it."""
    lone: Callable[[str], Document]
    """A genuine document of a log whose one entry is the given text."""
    entry: str
    """Of a log of one entry."""


@dataclass(frozen=True)
class Case:
    """A file to verify."""

    raw: bytes
    key: str | None
    """The log's; None takes the one in the file."""
    policy: bytes | None = None
    """A file that says which witnesses shall have cosigned."""
    rotations: bytes | None = None
    """A file of how the log's key was rotated."""
    signer: str | None = None
    """The key of the manifests."""


def cases(material: Material, seed: int, number: int) -> Iterator[Case]:
    """Changed files, ``number`` of them, the same for the same seed."""
    chance = Random(seed)
    for _ in range(number):
        made = chance.choice(_MAKERS)(chance, material)
        key = made.key if chance.random() > SELDOM else _key(chance, material)
        policy, rotations = (_also(chance, each) for each in (made.policy, made.rotations))
        yield replace(made, key=key, policy=policy, rotations=rotations)


def _key(chance: Random, material: Material) -> str | None:
    """None, or one that is another, or that is spelt in another way."""
    return None if chance.random() < OFTEN else chance.choice(_KEYS)(chance, chance.choice(material.keys))


def _also(chance: Random, file: bytes | None) -> bytes | None:
    """A file that goes with it, changed now and then."""
    if file is None or chance.random() < OFTEN:
        return file
    text = file.decode()
    for _ in range(chance.choice((1, 1, 2))):
        text = chance.choice((*_TEXTS, *_SPELLINGS, _words_exchanged))(chance, text)
    return text.encode("utf-8", "surrogatepass")


SELDOM: Final = 0.15
OFTEN: Final = 0.6

_SPACES: Final = " \t\n\r\v\f\x1c\x1f\x85\xa0\u1680\u2003\u2028\u202f\u3000\ufeff\u180e\u200b"
_LETTERS: Final = "0123456789abcdefABCDEF+/=-_ \n\r\0.,:\u2014\xdf\u0661\uff11"
_ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, 2, 3, -1, 2**31, 2**53 - 1, 2**53, 2**64, "", "1", "lodged", "\ufeff", "\U0001f9fe"),
    *([], {}, [[]], {"": {}}, {"__proto__": 1}, {"constructor": 1}, {"a": 1, "b": [None]}),
)
_NUMBERS: Final = (
    *("-0", "0", "00", "1", "01", "1.0", "1e0", "1E+0", "+1", "1.", ".5", "1e", "0x1", "1_0", "-", "NaN", "-NaN"),
    *("-Infinity", "Infinity", "9007199254740991", "9007199254740992", "-9007199254740992", "1" * 5000),
)
_ESCAPES: Final = (
    *("\\u0061", "\\ud83e\\uddfe", "\\ud800", "\\udc00\\ud800", "\\/", "\\b", "\\x61", "\\u00", "\\U0061", "\\u 061"),
    *("\x00", "\x1f", "\x7f", "\u2028", "\U0001f9fe", '"', "\\", "{", "]", ",", "null"),
)
_INDEXES: Final = tuple(
    f"index {each}" for each in ("3", "5", "04", 2**63 - 1, 2**63, 2**64 + 4, "", " 4", "4 ", "\u0664")
)
_LINES: Final = (
    *(
        "",
        "\t",
        "extra AAAA",
        "extra",
        "index 4",
        "c2sp.org/tlog-proof@v1",
        "\u2014 other AAAAAAAA",
        "\u2014 o+r AAAAAAAA",
    ),
    *("\u2014 a\ufeff AAAAAAA=", "\u2014 a\x85 AAAAAAAA", "\u2014 a AAAA", "\u2013 a AAAAAAAA", "\u2014  a AAAAAAAA"),
)


# Of texts


def _spaced(chance: Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_SPACES) + text[at:]


def _shortened(chance: Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.choice((1, 2, len(text))) :]


def _one_other(chance: Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_LETTERS) + text[at + 1 :]


def _line_more(chance: Random, text: str) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice((chance.choice(lines), chance.choice(_LINES))))
    return "\n".join(lines)


def _line_less(chance: Random, text: str) -> str:
    lines = text.split("\n")
    del lines[chance.randrange(len(lines))]
    return "\n".join(lines)


def _lines_exchanged(chance: Random, text: str) -> str:
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _lines_ended(chance: Random, text: str) -> str:
    return text.replace("\n", chance.choice(("\r\n", "\r", "\n\n", "\u2028")), chance.choice((-1, 1)))


def _numbered(chance: Random, text: str) -> str:
    """The lines that are numbers, spelt or counted otherwise."""

    def other(line: str) -> str:
        if line.startswith("index "):
            return chance.choice(_INDEXES)
        if not (line.isascii() and line.isdecimal()):
            return line
        spelt = (f"0{line}", f"{line}0", f"-{line}", f"+{line}", f"{int(line) + 1}", f"{int(line) + 2**64}", "9" * 19)
        return chance.choice((*spelt, f"{2**63 - 1}", f"{line}.", "\u0667"))

    return "\n".join(map(other, text.split("\n")))


def _base64_spelt(chance: Random, text: str) -> str:
    """The last word of a line with the same bytes in another spelling: padding, stray bits, other letters."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    head, space, word = lines[at].rpartition(" ")
    bare = word.rstrip("=")
    stray = bare[:-1] + chr(ord(bare[-1]) + 1) + word[len(bare) :] if bare else "="
    others = (
        bare,
        word + "=",
        word + "====",
        stray,
        word.replace("+", "-").replace("/", "_"),
        word + "\n",
        f"{word[:4]}\n{word[4:]}",
    )
    lines[at] = head + space + chance.choice(others)
    return "\n".join(lines)


def _base64_changed(chance: Random, text: str) -> str:
    """The last word of a line with other bytes, in the one spelling."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    head, space, word = lines[at].rpartition(" ")
    try:
        data = bytearray(base64.b64decode(word, validate=True))
    except ValueError:
        return _one_other(chance, text)
    place = chance.randrange(len(data) + 1)
    data[place : place + chance.choice((0, 1, 1, 32))] = chance.choice((b"", b"\x00", b"\xff", bytes(32)))
    lines[at] = head + space + base64.b64encode(data).decode()
    return "\n".join(lines)


def _words_exchanged(chance: Random, text: str) -> str:
    words = re.split("([ \n])", text)
    one, other = chance.randrange(len(words)), chance.randrange(len(words))
    words[one], words[other] = words[other], chance.choice((words[one], words[other]))
    return "".join(words)


def _cased(chance: Random, text: str) -> str:
    return chance.choice((text.upper(), text.lower(), text.swapcase()))


_KEYS: Final[tuple[Change, ...]] = (
    *(_spaced, _shortened, _one_other, _base64_spelt, _base64_changed, _cased),
    lambda chance, text: chance.choice(_SPACES) + text + chance.choice(_SPACES),
    lambda _, text: f"\n{text}\r\n",
    lambda _, text: text,
)
_TEXTS: Final[tuple[Change, ...]] = (
    *(_spaced, _shortened, _one_other, _line_more, _line_less, _lines_exchanged, _lines_ended),
    *(_numbered, _numbered, _base64_spelt, _base64_spelt, _base64_changed, _base64_changed, _cased),
)


# Of JSON as it is written


def _escaped(chance: Random, text: str) -> str:
    if not text:
        return chance.choice(_ESCAPES)
    at = chance.randrange(len(text))
    return (
        text[:at]
        + chance.choice((f"\\u{ord(text[at]) % 2**16:04x}", chance.choice(_ESCAPES) + text[at]))
        + text[at + 1 :]
    )


def _with_number(chance: Random, text: str) -> str:
    return text.replace(chance.choice((": 1", ":1", ": 2", ":2")), f": {chance.choice(_NUMBERS)}", 1)


def _doubled(chance: Random, text: str) -> str:
    member = chance.choice(('"key"', '"signed"', '"at"', '"format"', '"seq"', '"kind"'))
    again = chance.choice((member, member.replace("e", "\\u0065"), member.replace('"', "'")))
    return text.replace(member, f"{again}: {chance.choice(('1', 'null', '{}'))}, {member}", 1)


def _nested(chance: Random, text: str) -> str:
    deep = chance.choice((29, 30, 31, 32, 33, 200))
    return text.replace("{", '{"a": ' + "[" * deep + "]" * deep + ", ", 1)


def _other_marks(chance: Random, text: str) -> str:
    one, other = chance.choice(
        (("}", ",}"), ("{", "{,"), ('"', "'"), (":", "="), (",", ";"), (",", ",,"), ("{", "["), ("\n", "//\n"))
    )
    return text.replace(one, other, chance.choice((1, 2, -1)))


def _around(chance: Random, text: str) -> str:
    before = chance.choice(("\ufeff", " ", "\n\t", "\v", "\xa0", "[", "", ""))
    return before + text + chance.choice(("\n", " ", "\0", "{}", "]", ",", "\ufeff", ""))


_SPELLINGS: Final[tuple[Change, ...]] = (
    *(
        _spaced,
        _shortened,
        _one_other,
        _lines_ended,
        _escaped,
        _escaped,
        _with_number,
        _doubled,
        _nested,
        _other_marks,
        _around,
    ),
)


# Of files


def _bytes_changed(chance: Random, material: Material) -> Case:
    case = chance.choice(material.files)
    raw = bytearray(case.raw)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(raw) + 1)
        flipped = bytes([raw[at] ^ 1 << chance.randrange(8)]) if at < len(raw) else b""
        wrong = chance.choice(
            (b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", b"\xff", b"\x00", b"\xe2\x80")
        )
        put = chance.choice((flipped, flipped, flipped, wrong, bytes([chance.randrange(256)]), b""))
        raw[at : at + chance.choice((0, 1, 1, 1, 9, len(raw)))] = put
    return replace(case, raw=bytes(raw))


def _spelling_changed(chance: Random, material: Material) -> Case:
    document, case = chance.choice(material.documents)
    text = json.dumps(
        document,
        indent=chance.choice((None, 0, 2, "\t")),
        ensure_ascii=chance.random() < OFTEN,
        sort_keys=chance.random() < OFTEN,
    )
    for _ in range(chance.choice((0, 1, 1, 2))):
        text = chance.choice(_SPELLINGS)(chance, text)
    return replace(case, raw=text.encode("utf-8", "surrogatepass"))


def _member_changed(chance: Random, material: Material) -> Case:
    genuine, case = chance.choice(material.documents)
    document = _copy(genuine)
    *way, last = chance.choice([each for each in _ways(document) if each])
    holder = _at(document, way)
    if isinstance(holder, dict) and chance.random() < OFTEN:
        if chance.random() < OFTEN:
            holder[chance.choice(("more", "__proto__", "extra", "", "absent", "rotations", "again"))] = chance.choice(
                _ODD
            )
        else:
            holder[f"{last}s"] = holder[last]
    if chance.random() < OFTEN:
        holder[last] = chance.choice(_ODD)
    elif chance.random() < OFTEN:
        del holder[last]
    return replace(case, raw=_finished(chance, material, document))


def _member_of_another(chance: Random, material: Material) -> Case:
    (genuine, case), (other, _) = chance.choice(material.documents), chance.choice(material.documents)
    document, other = _copy(genuine), _copy(other)
    for _ in range(chance.choice((1, 1, 2))):
        *way, last = chance.choice([each for each in _ways(other) if each and _has(document, each)])
        _at(document, way)[last] = _at(other, (*way, last))
    return replace(case, raw=_finished(chance, material, document))


def _text_changed(chance: Random, material: Material) -> Case:
    genuine, case = chance.choice(material.documents)
    document = _copy(genuine)
    texts = [each for each in _ways(document) if isinstance(_at(document, each), str)]
    named = chance.choice(sorted({str(each[-1]) for each in texts}))  # each name as often, wherever and how often it is
    *way, last = chance.choice([each for each in texts if str(each[-1]) == named])
    holder = _at(document, way)
    for _ in range(chance.choice((1, 1, 2))):
        holder[last] = chance.choice(_TEXTS)(chance, holder[last])
    return replace(case, raw=_finished(chance, material, document))


def _inner_changed(chance: Random, material: Material) -> Case:
    """A document in which JSON that stands in a text, an entry or a manifest, has a member less, more or another."""
    genuine, case = chance.choice(material.documents)
    document = _copy(genuine)
    found = [each for each in _ways(document) if str(_at(document, each)).startswith('{"')]
    *way, last = chance.choice(found)
    holder = _at(document, way)
    inner = json.loads(holder[last])
    *inside, name = chance.choice([each for each in _ways(inner) if each])
    if chance.random() < SELDOM:
        del _at(inner, inside)[name]
    else:
        _at(inner, inside)[name] = chance.choice((*_ODD, 5, "v1", "0" * 64, "objection.lodged", "version.published"))
    holder[last] = json.dumps(inner, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return replace(case, raw=_finished(chance, material, document))


def _entry_changed(chance: Random, material: Material) -> Case:
    """A log of one entry, which says something else, or is spelt in another way; the log has it so."""
    text = material.entry
    for _ in range(chance.choice((1, 1, 2))):
        text = chance.choice((*_SPELLINGS, _with_more, _with_more, _with_more, _of_another_time, _of_another_format))(
            chance, text
        )
    document = material.lone(text.encode("utf-8", "replace").decode())
    return Case(json.dumps(document).encode(), material.keys[0])


def _of_another_time(chance: Random, text: str) -> str:
    return text.replace(
        "+00:00", chance.choice(("Z", "+01:00", ".5+00:00", ".123456+00:00", ".1234567+00:00", "", "+00:00 ")), 1
    )


def _of_another_format(chance: Random, text: str) -> str:
    return text.replace('"format":2', '"format":' + chance.choice(("1", "3", "4", "true", "2.0", "null", '"2"', "-2")))


def _with_more(chance: Random, text: str) -> str:
    """More in the payload, in the spelling of RFC 8785 or in the order of characters."""
    names = (
        "\ufb33",
        "\U0001f600",
        "\xf6",
        "1",
        "\r",
        "\u20ac",
        "z",
        "\x7f",
        "\uffff",
        "\U00010000",
        "__proto__",
        "\u2028",
    )
    picked = chance.sample(names, 3)
    picked.sort(key=chance.choice((str, lambda each: each.encode("utf-16-be"))))
    more = {each: chance.choice(_ODD) for each in picked}
    added = json.dumps(more, ensure_ascii=False, separators=(",", ":")).removeprefix("{").removesuffix("}")
    return (
        text.replace('"payload":{', f'"payload":{{{added},', 1)
        if chance.random() < OFTEN
        else text.replace('"detail":null', f'"detail":{{{added}}}', 1)
    )


_MAKERS: Final = (
    _bytes_changed,
    _spelling_changed,
    _member_changed,
    _member_of_another,
    _text_changed,
    _text_changed,
    _entry_changed,
    _inner_changed,
)


def _finished(chance: Random, material: Material, document: Document) -> bytes:
    """The file; more often than not, what it says is signed again."""
    if chance.random() < OFTEN:
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            document = material.signed(document)
    return json.dumps(document, indent=2).encode()


def _ways(value: object, way: Way = ()) -> Iterator[Way]:
    """The ways to everything in a document, itself included."""
    yield way
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from _ways(each, (*way, name))


def _at(document: Document, way: Sequence[str | int]) -> Any:  # noqa: ANN401  # of JSON
    found: Any = document
    for step in way:
        found = found[step]
    return found


def _has(document: Document, way: Way) -> bool:
    try:
        _at(document, way)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _copy(document: Document) -> Document:
    copied: Document = json.loads(json.dumps(document))
    return copied
