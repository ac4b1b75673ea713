"""Words that stand before a number and say what it is, in the languages of Europe and the most spoken elsewhere.

Each pattern is tried on what stands right before a number, up to :data:`REACH` code points. What is
masked there is no word: ``[phone]`` calls nobody.
"""

import re
from typing import Final

REACH: Final = 40
"""Code points before a number in which a word is looked for."""


def before(text: str, start: int, masked: str, taken: int) -> str:
    """What stands before ``start``, as far as it matters; ``masked`` is how what stands before ``taken`` reads."""
    return (masked + text[max(taken, start - REACH) : start])[-REACH:]


_PHONE: Final = (
    r"tel|telef|telefon[oe]?|telephone|téléphone|teléfono|tél|phone|fon|ph|mobile?|móvil|mobiel|handy|handynummer|"
    r"mobilnummer|mobilfunk|festnetz|rufnummer|cell|cellphone|cellulare|celular|telemóvel|portable|komórka|komorka|"
    r"whats ?app|signal|viber|telegram|sms|fax|telefax|telefonszám|telefonnummer|telefoonnummer|puhelin|puh|gsm|"
    r"telefonum|cep|tlf|mob|landline|hotline|тел|телефон|моб|мобильный|мобільний|τηλ|τηλέφωνο|κινητό|"
    r"contact number|phone number"
)
_PHONE_UNSPACED: Final = r"電話|电话|手机|手機|微信|携帯|전화|연락처|휴대폰|핸드폰|फ़ोन|फ़ोन|मोबाइल|هاتف|جوال|موبايل|טלפון|נייד|โทร|điện thoại|☎|☏|📞|📱|✆"
_ASKS: Final = (
    r"call|calling|ring|dial|text|reach|phone|numbers|ruf|rufe|ruft|anrufen|erreichbar|erreichen|appelez|appelle|appeler|joindre|"
    r"joignable|llama|llámame|llamar|llámanos|chiama|chiamami|chiamare|liga|ligue|ligar|bel|bellen|zadzwoń|dzwoń|zavolej|zavolejte|"
    r"volat|hívj|hívjon|sună|sunați|suna|ring|ringe|soita|ara|arayın|позвони|позвоните|звоните|звони|набери|"
    r"телефонуйте|дзвоніть|gọi|hubungi"
)
_ASKS_UNSPACED: Final = r"कॉल|اتصل|התקשר"
_NUMBER: Final = (
    r"number|nummer|num[ée]ro|número|numer|číslo|számom|număr|numărul|nummeret|numero|numaram|номер|αριθμός"
)
_MINE: Final = (
    r"my|meine|mon|notre|mi|mio|mia|meu|mijn|mój|moj|mitt|min|mit|můj|moje|număr|minun|benim|мой|мій|our|unsere|notre|"
    r"his|her|their|your"
)
_SIGN: Final = r"(?:[TMPHF]|HP)(?=:)"

_BETWEEN: Final = (
    r"(?:[^\w\n]{1,3}(?:nr|no|num|number|nummer|numéro|número|numero|номер|is|ist|est|es|è|é|to|am|at|#|work|home|"
    r"privat|office|mobile|dienstlich|[1-3])\b){0,2}"
)
CALLED: Final = re.compile(
    rf"(?:(?<![\w\[])(?:{_PHONE})|{_PHONE_UNSPACED}|(?<!\w)(?-i:{_SIGN})){_BETWEEN}(?:[^\w\n]{{0,4}}|[はは는은])\Z",
    re.IGNORECASE,
)
"""A word for a telephone right before it: whatever follows is a number of one."""
SPOKEN: Final = re.compile(
    rf"(?:(?<![\w\[])(?:{_PHONE}|{_ASKS}|(?:{_MINE})\W(?:\w+\W)?(?:{_NUMBER})\w?)(?!\w)"
    rf"|{_PHONE_UNSPACED}|{_ASKS_UNSPACED})[^0-9\n]{{0,32}}\Z|(?<!\w)(?-i:HP) \Z",
    re.IGNORECASE,
)
"""Talk of a telephone or of calling somebody before it, in the same line, with no other digits in between."""

OTHER: Final = re.compile(
    r"(?:(?<!\w)(?:order|orders|bestellung|bestellnummer|bestell-?nr|auftrag|commande|pedido|ordine|zamówienie|заказ|"
    r"bug|ticket|case|issue|invoice|rechnung|facture|factura|fattura|faktura|kundennummer|customer|account|konto|"
    r"id|uid|gid|pid|ppid|msg-?id|serial|s/n|sn|isbn|issn|ean|gtin|upc|asin|doi|ups|vat|ust-?id|zip|plz|"
    r"inode|block|blocks|sector|sectors|error|code|errno|size|offset|cylinder|epoch|timestamp|seed|identify|"
    r"version|ver|build|revision|rev|release|kernel|chmod|message|post|line|port|row|page|model|sequence|eip|rip|rsp|"
    r"patent|tracking|value|valor|valeur|wert|wartość|result|says|gives|returns|total|count|sum|used|free|postal|steuernummer|aktenzeichen|az|lat|lon|usd|eur|gbp|chf|rs|inr|rub|pln)|[№§₹₽₺₴₩₿])"
    r"(?:[^\w\n]{1,3}(?:nr|no|num|number|nummer|is|ist|#))?[^\w\n]{0,3}\Z",
    re.IGNORECASE,
)
"""A word right before it for what is numbered, counted or paid besides."""

UNIT: Final = re.compile(
    r"(?:[ -]?(?:[kmgtp]i?b|[kmg]bit|bytes?|bits?|[mµn]?s|sec|secs|seconds?|[kmg]?hz|px|km|kg|mm|cm|rows?|lines?|users?|views?|"
    r"people|times|blocks?|sectors?|files?|items?|records?|euros?|eur|dollars?|usd|gbp|zł|pln|kč|kr|chf|руб|грн|k|"
    r"wierszy|zeilen|lignes|1k-blocks)(?!\w)|[ -]?1k-blocks| ?[%€$£¥₹₽₺₴₩])",
    re.IGNORECASE,
)
"""A unit or a currency behind it."""

_IS: Final = r"(?:[^\w\n]{1,3}(?:number|no|nr|is|was|ist|to))?[^\w\n]{0,3}v?\Z"
VERSIONED: Final = re.compile(
    r"(?:(?<!\w)(?:ver|vers|version|versions|versión|versione|versão|wersja|версия|версії|release|rel|rev|revision|build|"
    rf"kernel|kernels|firmware|bios|uefi|section|chapter|abschnitt|kapitel|clause|rfc|oid)|§{{1,2}}){_IS}",
    re.IGNORECASE,
)
"""A word right before a dotted number that makes it a version or a section."""
PRODUCT: Final = re.compile(
    r"(?<!\w)(?:v|linux|firefox|ff|iceweasel|thunderbird|chrome|chromium|opera|flash|java|jre|jdk|php|python|perl|ruby|wine|"
    r"skype|nvidia|fglrx|catalyst|driver|drivers|libc6?|glibc|gcc|xorg|mysql|samba|alsa|virtualbox|vmware|android|"
    rf"ubuntu|debian|gnome|kde|openssl|openssh|nginx|apache|node|windows|macos){_IS}",
    re.IGNORECASE,
)
"""The name of a program right before a dotted number that may be its version."""

ADDRESSED: Final = re.compile(
    r"(?:(?<![\w\[-])(?:ip|ips|ipv[46]|ip[- ]?(?:address|addr|adresse)|address|addresses|addr|adresse|adressen|adress|dirección|direccion|indirizzo|"
    r"endereço|adres|адрес|адреса|айпи|διεύθυνση|host|hostname|gateway|gw|router|dns|nameserver|resolver|inet6?|bcast|ping6?|"
    r"traceroute|tracert|ssh|telnet|nmap|whois|dig|nslookup|src|dst|scan|peer|proxy|dhcp|lan|wan|netmask|"
    r"deny|allow|ban|banned|block)(?:[^\w\n]{1,3}(?:from|is|was|ist|add|to|of|at))?[^\w\n]{0,3}|地址 ?|アドレス ?|://|@"
    r"|\[ip\][^\w\n]{0,3}(?:(?:and|or|to|und|oder|et|ou|y|o|e|и|или)(?!\w)[^\w\n]{0,3})?)\Z",
    re.IGNORECASE,
)
"""What stands right before it and makes it an address of the internet: a word for one, or another one, masked."""

INSTRUCTION: Final = re.compile(r"(?<!\w)call\s{1,3}\Z")
"""What a machine is told as well as a person, where the digits are in one piece."""
