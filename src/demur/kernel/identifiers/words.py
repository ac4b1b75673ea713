"""Words that stand before a number and say what it is, in the languages of Europe and the most spoken elsewhere.

Each pattern is tried on what stands right before a number, up to :data:`REACH` code points, and ends there. What is
masked there counts as a mask, not as a word: ``[phone]`` calls nobody, but a number joined to it is of its kind.
"""

# ruff: noqa: RUF001 - words of many scripts

import re
from typing import Final

from demur.patterns import lazily

REACH: Final = 40
"""Code points before a number in which a word is looked for."""


def before(text: str, start: int, masked: str, taken: int) -> str:
    """What stands before ``start``, as far as it matters; ``masked`` is how what stands before ``taken`` reads."""
    return (masked + text[max(taken, start - REACH) : start])[-REACH:]


def _any(words: str) -> str:
    """An alternation of patterns that are set off by spaces."""
    return f"(?:{'|'.join(words.split())})"


_PHONE: Final = _any(r"""
    tel telef telefon[oe]? telephone téléphone teléfono tél phone fon ph mobile? móvil mobiel mob handy handynummer
    mobilnummer mobilfunk festnetz rufnummer cell cellphone cellulare celular telemóvel portable komórka whats\s?app
    viber sms fax telefax telefonszám telefonnummer telefoonnummer puhelin puh gsm telefonum cep tlf
    landline hotline phone\snumber contact\snumber тел телефон моб мобильный мобільний τηλ τηλέφωνο κινητό
    """)
_PHONE_UNSPACED: Final = _any(r"""
    電話 电话 手机 手機 微信 携帯 전화 연락처 휴대폰 핸드폰 फ़ोन फ़ोन मोबाइल هاتف جوال موبايل טלפון נייד โทร điện\sthoại
    ☎ ☏ 📞 📱 ✆
    """)
_ASKS: Final = _any(r"""
    signal telegram call calling ring dial text reach phone numbers ruf rufe ruft anrufen erreichbar erreichen appelez
    appelle appeler joindre joignable llama llámame llamar llámanos chiama chiamami chiamare liga ligue ligar bel bellen
    zadzwoń dzwoń zavolej zavolejte volat hívj hívjon sună sunați suna ringe soita ara arayın позвони позвоните звоните
    звони набери телефонуйте дзвоніть gọi hubungi
    """)
_ASKS_UNSPACED: Final = _any("कॉल اتصل התקשר")
_NUMBER: Final = _any(r"""
    number nummer num[ée]ro número numer číslo számom număr numărul nummeret numero numaram номер αριθμός
    """)
_MINE: Final = _any(r"""
    my our his her their your meine unsere mon notre mi mio mia meu mijn mój moj mitt min mit můj moje minun benim мой
    мій
    """)
_LETTER: Final = r"(?<!\w)(?-i:[TMPHF]|HP)(?=:)"
_BETWEEN: Final = (
    r"(?:[^\w\n]{1,3}"
    + _any(
        "nr no num number nummer numéro número numero номер is ist est es è é to am at work home office mobile privat"
    )
    + r"\b|[^\w\n]{1,3}[1-3]\b){0,2}"
)
_JOINED: Final = (
    r"[^\w\n]{1,3}(?:" + _any("and or to und oder et ou y o e i a en of och og и или") + r"(?!\w)[^\w\n]{1,3})?"
)

CALLED: Final = re.compile(
    rf"(?:(?<![\w\[]){_PHONE}|{_PHONE_UNSPACED}|{_LETTER}){_BETWEEN}(?:[^\w\n]{{0,4}}|[は는은])\Z", re.IGNORECASE
)
"""A word for a telephone right before it: whatever follows is a number of one."""


def _spoken(reach: int) -> re.Pattern[str]:
    return lazily(
        rf"(?:(?<![\w\[])(?:{_PHONE}|{_ASKS}|{_MINE}\W(?:\w+\W)?{_NUMBER}\w?)(?!\w)|{_PHONE_UNSPACED}|{_ASKS_UNSPACED})"
        rf"[^0-9\n]{{0,{reach}}}\Z|(?<!\w)(?-i:HP) \Z|\[phone\]{_JOINED}\Z",
        re.IGNORECASE,
    )


SPOKEN: Final = _spoken(32)
"""Talk of a telephone or of calling somebody before it, in its line and with no other digits in between.

Or another number that is masked, and nothing but *and* or a comma between the two.
"""
CLOSE: Final = _spoken(12)
"""The same, a word or two before it."""
INSTRUCTION: Final = re.compile(r"(?<!\w)(?:call|text|ring|signal|reach|numbers)\s{1,3}\Z", re.IGNORECASE)
"""What is said to machines or of them as well."""

_COUNTED: Final = _any(r"""
    orders? bestellung bestellnummer bestell-?nr auftrag commande pedido ordine zamówienie заказ bug ticket case issue
    invoice rechnung facture factura fattura faktura kundennummer customer account konto id uid gid pid ppid msg-?id
    serial s/n sn isbn issn ean gtin upc asin doi ups vat ust-?id zip plz inode blocks? sectors? error code errno size
    offset cylinder epoch timestamp seed identify merge commit version ver build revision rev release kernel chmod line
    message post port row page model sequence eip rip rsp patent tracking value valor valeur wert wartość result says
    gives returns total count sum used free postal steuernummer aktenzeichen az lat lon usd eur gbp chf rs inr rub pln
    """)
OTHER: Final = re.compile(
    rf"(?:(?<!\w){_COUNTED}|[№§₹₽₺₴₩₿])(?:[^\w\n]{{1,3}}(?:nr|no|num|number|nummer|is|ist|#))?[^\w\n]{{0,3}}\Z",
    re.IGNORECASE,
)
"""A word right before it for what is numbered, counted or paid besides."""
_UNIT: Final = _any(r"""
    [kmgtp]i?b [kmg]bit bytes? bits? [mµn]?s secs? seconds? [kmg]?hz px km kg mm cm rows? lines? users? views? people
    times blocks? 1k-blocks sectors? files? items? records? euros? eur dollars? usd gbp zł pln kč kr chf руб грн k
    zeilen lignes wierszy
    """)
UNIT: Final = lazily(rf"[ -]?{_UNIT}(?!\w)| ?[%€$£¥₹₽₺₴₩]", re.IGNORECASE)
"""A unit or a currency right behind it."""

_VERSION: Final = _any(r"""
    ver vers versions? versión versione versão wersja версия версії release rel rev revision build kernels? firmware
    bios uefi section chapter abschnitt kapitel clause rfc oid
    """)
_PROGRAM: Final = _any(r"""
    v linux firefox ff iceweasel thunderbird chrome chromium opera flash java jre jdk php python perl ruby wine skype
    nvidia fglrx catalyst drivers? libc6? glibc gcc xorg mysql samba alsa virtualbox vmware android ubuntu debian gnome
    kde openssl openssh nginx apache node windows macos
    """)
_IS: Final = r"(?:[^\w\n]{1,3}(?:number|no|nr|is|was|ist|to))?[^\w\n]{0,3}v?\Z"
VERSIONED: Final = re.compile(rf"(?:(?<!\w){_VERSION}|§{{1,2}}){_IS}", re.IGNORECASE)
"""A word right before a dotted number that makes it a version or a section."""
PRODUCT: Final = re.compile(rf"(?<!\w){_PROGRAM}{_IS}", re.IGNORECASE)
"""The name of a program right before a dotted number that may be its version."""

_NET: Final = _any(r"""
    ips? ipv[46] ip[-\s]?address ip[-\s]?addr ip[-\s]?adresse address(?:es)? addr adressen? adress dirección indirizzo
    endereço adres адреса? айпи διεύθυνση host hostname gateway gw router dns nameserver resolver inet6? bcast ping6?
    traceroute tracert ssh telnet nmap whois dig nslookup src dst scan peer proxy dhcp lan wan deny allow ban banned
    block
    """)
ADDRESSED: Final = re.compile(
    rf"(?:(?<![\w\[-]){_NET}(?:[^\w\n]{{1,3}}(?:from|is|was|ist|add|to|of|at))?[^\w\n]{{0,3}}"
    rf"|地址 ?|アドレス ?|://|@|\[ip\]{_JOINED})\Z",
    re.IGNORECASE,
)
"""What stands right before it and makes it an address of the internet: a word for one, or another one, masked."""
