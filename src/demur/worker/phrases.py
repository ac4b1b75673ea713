"""What mail servers write to people, by the kinds of sentences they use: that it is over, or that they go on trying.

Invariants: each pattern is a kind that servers of several makers share, in English or in another language of theirs,
never one server's whole text; the text has few and short lines (returned.py), so that no pattern takes long.
"""

import re
from typing import Final

_DELIVERED: Final = r"(?:deliver\w*|sent|send|relay\w*|transmit\w*|reach\w*|receiv\w*|forward\w*|process\w*)"
_NOT: Final = (
    r"(?:could\s*n[o']t|can\s?not|can't|was\s*n[o']t|were\s*n[o']t|is\s*n[o']t|has\s*n[o']t|have\s*n[o']t|did\s*n[o']t"
    r"|will\s*n[o']t|does\s*n[o']t|unable|not\s+able|fail(?:ed|s|ure)|refus\w+|impossible|trouble|problems?|errors?)"
)
_WHO: Final = (
    r"(?:e-?mail\s+|user'?s?\s+|recipient\s+)?"
    r"(?:user|recipient|account|mailbox|mail\s?folder|address|addressee|domain|host|inbox|member|alias|userid)s?"
)
_GONE: Final = (
    r"(?:unknown|not\s+(?:be\s+)?(?:found|exist\w*|listed|recogni[sz]ed|known|valid|local|available|active|here|a\b)|invalid"
    r"|does\s*n[o']t\s+(?:exist|have)|disabled|inactive|suspended|full|over\s?quota|unavailable|rejected|refused|closed"
    r"|expired|no\s+longer|illegal|unrout\w+|doesn.t\s+exist|incorrect|misspelled)"
)

_FAILED: Final = re.compile(
    rf"""(?ix)
      \b {_NOT} [^.\n]{{0,60}}? \b {_DELIVERED} \b
    | \b not \s+ (?:be(?:en)? \s+)? {_DELIVERED} \b
    | \b un(?:deliver(?:ed|able)|sent) \b
    | \b deli?e?very \b [^.\n]{{0,80}} \b (?: fail\w* | abort\w* | impossible | unsuccessful | problems? |
        errors? | cancell?ed ) \b
    | \b fail(?:ed|ure) \b [^.\n]{{0,30}} \b (?: deliver\w* | recipients? | address(?:es)? | reasons? |
        permanently ) \b
    | \b permanent(?:ly)? \b [^.\n]{{0,20}} \b (?: fail\w* | errors? | reject\w* ) \b
    | \b (?: fatal | unrecoverable | had \s+ (?: delivery | permanent ) [^.\n]{{0,20}} ) \s* errors? \b
    | \b (?: given | giving | gave ) \s+ up \b
    | \b not \s+ going \s+ to \s+ try \b
    | \b no \s+ further \s+ (?:delivery\s+)? attempts? \b
    | \b {_WHO} \s+ (?: (?:name|id|alias|address) \s+ )? (?: \S{{1,100}} \s+ )? (?: is | was | are | has \s
        been | could | does | do )? \s* {_GONE}
    | \b (?: unknown | invalid | no \s+ (?:such|valid) | non-?existent | illegal | bad | disabled |
        unrouteable ) \s+ (?:\w+ \s+){{0,2}} {_WHO} \b
    | \b (?: over | exceed\w* | out \s of ) \s* (?: \w+ \s+){{0,3}} (?: quota | storage | limit ) \b
    | \b quota \s+ exceeded \b
    | \b (?: mail | message | e-?mail ) s? \b [^.\n]{{0,60}} \b (?: reject\w* | refused | blocked | bounced
        | returned | expired ) \b
    | \b (?: were | was | been ) \s+ (?: automatically \s+ )? (?: rejected | refused | blocked | returned
        \s+ to ) \b
    | \b rejected \s+ (?: your | the | by | as | for ) \b
    | \b did \s+ not \s+ like \b
    | \b does \s+ not \s+ like \b
    | \b access \s+ denied \b
    | \b relay\w* \s+ (?: is \s+ )? (?: denied | not \s+ permitted ) \b
    | \b envelope \s+ expired \b
    | \b (?: hop \s+ count | too \s+ many \s+ hops ) \b
    | \b mail \s+ (?: forwarding )? \s* loop \b
    | \b no \s+ (?: mx \s+ )? (?: mail \s+ exchanger | record ) s? \b
    | \b unsent \s+ message \s+ follows \b
    | \b connection \s+ timed \s+ out \b
    """
)
"""Sentences of English that say that it did not arrive."""

_PLAIN: Final = re.compile(
    r"""(?ix)
      \b (?: could | can | was | were | has | have ) \s* (?: not | n[o']t ) \s+ (?: be(?:en)? \s+ )?
        delivered \b
    | \b undeliver(?:ed|able) \b
    | \b delivery \s+ (?: to \s+ [^.\n]{0,60} \s+ )? (?: has \s+ )? failed \b
    | \b (?: user | recipient | address ) \s+ unknown \b
    """
)
"""Those that nothing else can be meant by."""

_ABROAD: Final = re.compile(
    r"""(?ix)
      (?: konnte | wurde | kann ) \w{0,2} \s [^.\n]{0,80} nicht \s (?: \w+ \s ){0,2} (?: zugestellt |
        ausgeliefert | [uü]bermittelt | gesendet )
    | unzustellbar
    | zustellung \s [^.\n]{0,40} fehlgeschlagen
    | empf[aä]nger \w* \s [^.\n]{0,40} unbekannt
    | n.a \s (?: pas | pu ) \s [^.\n]{0,40} (?: remis | distribu | livr | d[eé]livr | envoy | achemin )
    | non \s (?: remis | distribu | d[eé]livr )
    | [eé]chec \s [^.\n]{0,30} (?: remise | livraison | distribution | envoi )
    | il \s se \s peut \s que \s le \s groupe
    | no \s (?: se \s )? (?: ha \s | han \s | pudo | puede | fue | ha \s sido ) [^.\n]{0,40} (?: entreg |
        enviad | posible )
    | error \s [^.\n]{0,20} entrega
    | no \s entregado
    | non \s (?: [eè] \s | sono \s | ha ) [^.\n]{0,40} (?: recapit | consegn | riuscit | possibil | inviat )
    | recapito \s [^.\n]{0,30} non
    | non \s recapitabile
    | mancat[ao] \s (?: consegna | recapito )
    | n[aã]o \s (?: p[oô]de | foi | [eé] ) \s [^.\n]{0,40} (?: entreg | envia | poss[ií]vel )
    | falha \s [^.\n]{0,20} entrega
    | (?: kon | kan | is | werd ) \s [^.\n]{0,60} niet \s [^.\n]{0,30} (?: bezorg | afgelever | verzond |
        aflever )
    | onbestelbaar
    | nie \s (?: mo[zż]na | mog[lł]a | zosta[lł]a | uda[lł]o ) [^.\n]{0,40} (?: dostarcz | dor[eę]cz |
        wys[lł]a )
    | kunde \s (?: ikke | inte ) \s [^.\n]{0,40} (?: lever | send | till | afl )
    | (?: ikke | inte ) \s leveret?
    | kunne \s ikke \s [^.\n]{0,30} lever
    | toimitus \s [^.\n]{0,30} ep[aä]onnistui
    | (?: nelze | nebylo | nepoda[rř]ilo | nemohla? ) [^.\n]{0,40} doru[cč]
    | nedoru[cč]
    | не \s (?: может | могло | удалось | было | доставлено | было ) [^.\n]{0,40} (?: доставлен | доставить
        | отправлен )
    | не \s доставлено
    | недостав
    | (?: 送信 | 配信 | 配送 | 配達 | 送達 | お届け ) \w{0,8} (?: できません | 出来ません | されません )
    | (?: 送信 | 配信 | 配送 | 配達 | 送達 ) \w{0,8} (?: 失敗 | 不能 | エラー )
    | 見つかりません
    | 存在し(?:ない|ません)
    | 届きません
    | 不達
    | 宛先不明
    | (?: 容量 | 制限 ) \w{0,8} (?: 超 | オーバー )
    | いっぱい
    | (?: 无法 | 無法 | 未能 | 不能 ) [^。\n]{0,20} (?: 投递 | 送达 | 發送 | 发送 | 傳送 | 投遞 | 递送 )
    | (?: 退信 | 投递失败 )
    """
)
"""Such sentences in other languages of mail servers."""

_DELAYED: Final = re.compile(
    r"""(?ix)
      \b (?: will | shall | going \s to ) \s+ (?: \w+ \s+ ){0,2} (?: keep | continue | retry | re-?try\w* |
        retried | re-?attempt\w* | try \s again ) \b
    | \b (?: keep | continu\w+ | still ) \s+ (?: be \s+ )? (?: trying | being \s+ retried | retrying |
        undelivered | queued | in \s+ the \s+ queue )
    | \b delivery \s+ attempts? \s+ will \s+ (?: continue | be ) \b
    | \b (?: has | have | is | been | was | delivery ) \s+ (?: been \s+ )? (?: temporarily \s+ )? (?:
        delayed | deferred | postponed ) \b
    | \b delayed \s+ (?: for | mail | by | \d )
    | \b not \s+ yet \s+ (?: been \s+ )? (?: deliver | receiv | reach ) \w*
    | \b warning \s+ (?: message \s+ )? only \b
    | \b (?: only \s+ a | just \s+ a | this \s+ is \s+ a ) \s+ (?: warning | notification \s+ about \s+ a
        \s+ delay | temporary )
    | \b (?: not | n.t ) \s+ (?: have | need ) \s+ to \s+ (?: re-?send | do \s+ anything ) \b
    | \b no \s+ need \s+ to \s+ resend \b
    | \b no \s+ action \s+ is \s+ (?: required | needed ) \b
    | \b delivery \s+ (?: is \s+ )? (?: delay | incomplete ) \b
    | \b could \s+ not \s+ be \s+ delivered \s+ (?: for \s+ (?: more \s+ than \s+ )? \d | yet )
    | noch \s nicht \s [^.\n]{0,30} zugestellt
    | weiter(?:e|hin) \s [^.\n]{0,40} (?: zustell | versuch )
    | verz[oö]ger
    | retard[eé]
    | nouvelle \s tentative
    | se \s (?: seguir[aá] | volver[aá] ) \s [^.\n]{0,30} intent
    | ritardat
    | verr[aà] \s [^.\n]{0,20} riprovat
    | ещ[её] \s не \s достав
    | повторн\w+ \s попыт
    | задерж
    | 遅延
    | 再送を(?:試|続|行)
    | 延迟
    | 延遲
    """
)
_OVER: Final = re.compile(
    r"""(?ix)
      \b (?: given | giving | gave ) \s+ up \b
    | \b not \s+ going \s+ to \s+ try \b
    | \b no \s+ further \s+ (?:\w+\s+)? attempts? \b
    | \b failed \s+ permanently \b
    | \b permanent(?:ly)? \s+ (?: fatal \s+ )? (?: fail(?:ed|ure) | errors? | rejected ) \b
    | \b (?: has | have | is ) \s+ been \s+ returned \b
    """
)

_SUBJECT: Final = re.compile(
    r"""(?ix) ^ (?! \s* (?: fwd? | wg | tr | rv | enc | i | re | aw | sv ) \s* : ) .{0,80} (?:
        undeliver
      | un-?sent \b
      | returned \s+ (?: (?: e-? )? mail | message | to \s+ sender )
      | return(?:ing|ed)? \b .{0,30} \b sender
      | failure \s+ (?: notice | delivery )
      | deliver\w* \b .{0,40} (?: fail | error | problem | report )
      | fail\w* \b .{0,30} \b (?: deliver | to \s+ send )
      | mail (?: er )? \b .{0,20} \b (?: error | fail )
      | non-? \s? deliver
      | not \s+ (?: be(?:en)? \s+ )? (?: delivered | sent )
      | (?: could | can ) \s? not \s+ (?: be \s+ )? (?: send | sent | deliver )
      | (?: error | trouble ) \s+ sending
      | delivery \s+ status
      | \b ndn \b
      | \b ndr \b
      | considered \s+ unsolicited
      | message \s+ you \s+ sent \s+ blocked
    )"""
)
_CODE: Final = re.compile(r"(?<![\d.])5\.\d{1,2}\.\d{1,3}(?![\d.])")
_REPLY: Final = re.compile(r"(?<![\d.:/-])5[0-5]\d(?=[ -]|$|:)", re.MULTILINE)
"""A server's reply code (RFC 5321, section 4.2.1); 55x and below, as no server uses others."""


def says_failed(subject: str, text: str) -> bool:
    """Whether a server's report says that a mail did not arrive, and nothing of going on."""
    if says_delayed(subject, text):
        return False
    said = f"{subject}\n{text}"
    return any(each.search(said) for each in (_FAILED, _ABROAD, _CODE, _REPLY)) or is_failure(subject)


def says_plainly(text: str) -> bool:
    """Whether a text says so in words that nothing else can be meant by, and nothing of going on."""
    return _PLAIN.search(text) is not None and not says_delayed("", text)


def says_delayed(subject: str, text: str) -> bool:
    """Whether it says that the server goes on trying."""
    return bool(_DELAYED.search(subject) or (_DELAYED.search(text) and not _OVER.search(text)))


def is_failure(subject: str) -> bool:
    """Whether a subject is one that servers write over what came back."""
    return (_SUBJECT.match(subject) or _ABROAD.search(subject)) is not None


def code_in(text: str) -> str:
    """The first permanent status that a text names (RFC 3463, else a reply code); "5.0.0" where it names none."""
    found = _CODE.search(text) or _REPLY.search(text)
    return found[0] if found else "5.0.0"
