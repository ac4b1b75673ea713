"""What people say right before a name: in greeting, in thanking and in taking leave, in the EU's languages, uk and ru.

Invariants: words are in small letters as they are written, without accents too where people leave them out; phrases
hold single spaces; a name may follow each of them directly.
"""

import re
from collections.abc import Iterable
from typing import Final

HELLO: Final = """
hi|hello|hey|hiya|heya|hullo|yo|dear|morning|good morning|good evening|good afternoon|welcome|welcome back|howdy|ciao
hallo|huhu|moin|moinmoin|servus|grüß dich|grüezi|liebe|lieber|guten morgen|guten tag|guten abend|sehr geehrter herr
sehr geehrte frau|tach|na|bonjour|salut|coucou|bonsoir|cher|chère|re|hola|buenas|buenos días|buenos dias|buenas tardes
querido|querida|estimado|estimada|olá|ola|oi|bom dia|boa tarde|boa noite|caro|cara|viva|salve|buongiorno|buonasera
gentile|hoi|hé|beste|goedemorgen|goedendag|goedenavond|dag|cześć|czesc|hej|witaj|witam|siema|drogi|droga
szanowny panie|szanowna pani|dzień dobry|dzien dobry|ahoj|čau|cau|nazdar|milý|milá|dobrý den|vážený pane|vážená paní
zdravím|čaute|szia|sziasztok|szervusz|kedves|helló|üdv|jó napot|bună|buna|salutare|bună ziua|dragă|draga|hei|moi|terve
moikka|huomenta|päivää|hyvä|hyvää päivää|tere|tsau|hommikust|sveiki|sveika|sveikas|labas|labas rytas|labdien|zdravo
bok|pozdrav|živjo|zivjo|dragi|dobar dan|bog|dober dan|hejsa|davs|kære|goddag|godmorgen|tjena|tja|hallå|kära|käre|bästa
tjo|god morgon|dia duit|haigh|a chara|għażiż|bonġu|hawn|γεια|γεια σου|γειά|γεια σας|καλημέρα|καλησπέρα|αγαπητέ|αγαπητή
αγαπητε|здравей|здравейте|привет|здрасти|добър ден|уважаеми|здравствуй|здравствуйте|приветик|добрый день|доброе утро
добрый вечер|дорогой|дорогая|уважаемый|уважаемая|привіт|вітаю|добрий день|доброго дня|шановний|шановна|дорога|дорогий
"""

THANKS: Final = """
thanks|thank you|thx|ty|tx|cheers|many thanks|thanks a lot|thank you so much|thanks so much|sorry|congrats
congratulations|agreed|agree with you|bye|good night|gn|danke|danke dir|dank dir|vielen dank|dankeschön|merci|tschüss
gute nacht|merci beaucoup|désolé|bravo|gracias|muchas gracias|mil gracias|perdona|obrigado|obrigada|muito obrigado
valeu|grazie|grazie mille|scusa|bedankt|dank je|dankjewel|dank u|dzięki|dzieki|dziękuję|dziekuje|wielkie dzięki|sorki
díky|diky|děkuji|dekuji|děkuju|dík|ďakujem|dakujem|vďaka|köszi|köszönöm|koszi|köszi szépen|mulțumesc|multumesc|mersi
ms|kiitos|kiitti|kiitoksia|tack|tackar|tack så mycket|tusen tack|tak|mange tak|tusind tak|takk|aitäh|tänan|suur tänu
paldies|liels paldies|ačiū|aciu|dėkui|dėkoju|hvala|hvala ti|hvala lepa|hvala puno|grazzi|go raibh maith agat|ευχαριστώ
ευχαριστω|σε ευχαριστώ|благодаря|мерси|спасибо|спс|благодарю|спасибо большое|дякую|дуже дякую|спасибі
"""

LEAVE: Final = """
regards|kind regards|best regards|warm regards|best|best wishes|all the best|yours|sincerely|yours sincerely|love
greetings|greets|cheers|cu|take care|rgds|br|kr|mit freundlichen grüßen|mit freundlichem gruß|freundliche grüße
viele grüße|vielen gruß|liebe grüße|beste grüße|schöne grüße|herzliche grüße|grüße|gruß|gruss|grüsse|viele grüsse
liebe grüsse|mfg|lg|vg|vlg|glg|bg|hg|dein|deine|euer|eure|ihr|cordialement|bien cordialement|amicalement|bises|bisous
bien à vous|à bientôt|à plus|amitiés|salutations|saludos|un saludo|un abrazo|atentamente|saludos cordiales|besos
abrazo|abraço|abraços|um abraço|cumprimentos|com os melhores cumprimentos|atenciosamente|beijos|saluti|cordiali saluti
un saluto|distinti saluti|un abbraccio|a presto|groet|groeten|groetjes|gr|met vriendelijke groet|vriendelijke groet
mvg|pozdrawiam|pozdro|pozdrowienia|serdecznie pozdrawiam|z poważaniem|pzdr|s pozdravem|zdraví|pozdrav|pozdravuje
s pozdravom|zdar|üdvözlettel|üdv|üdvözlet|tisztelettel|puszi|cu stimă|cu respect|salutări|toate cele bune|numai bine
terveisin|t|ystävällisin terveisin|yst. terv|terv|hälsningar|med vänliga hälsningar|vänliga hälsningar|mvh|hälsar|vh
med venlig hilsen|venlig hilsen|hilsen|kærlig hilsen|kh|parimat|tervitades|lugupidamisega|ar cieņu|sveicieni
su pagarba|pagarbiai|linkėjimai|lp|lijep pozdrav|srdačan pozdrav|s poštovanjem|lep pozdrav|s spoštovanjem|lpp|is mise
le meas|tislijiet|με εκτίμηση|χαιρετισμούς|φιλικά|φιλιά|поздрави|с уважение|с уважением|с наилучшими|всего доброго
твой|твоя|ваш|з повагою|з найкращими побажаннями|всього найкращого
"""


def phrases(listed: str) -> tuple[str, ...]:
    """The phrases of a list, the longest first, once each."""
    return tuple(
        sorted(
            {each.strip() for each in re.split(r"[|\n]", listed) if each.strip()}, key=lambda each: (-len(each), each)
        )
    )


def either(listed: Iterable[str]) -> str:
    """A regular expression for one of some phrases, with any white space in them."""
    return "(?:" + "|".join(re.escape(each).replace(r"\ ", r"\s+") for each in listed) + ")"
