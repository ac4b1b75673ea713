"""The words by which Meta's exports name a field, in the languages we know.

Every word is casefolded and has straight apostrophes, as :func:`demur.sources.meta.common.labelled` looks them up.
An export is written in its account's language. What can be told by a file's path or a record's shape is told
by that; these tables are for the rest. A word that is not here is never guessed at: the field is then unknown.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in text.split("|"))


USERNAME: Final = _words(
    "Username|User name|Gebruikersnaam|Brugernavn|Benutzername|Nutzername|Nom d'utilisateur"
    "|Nom de profil|Nombre de usuario|Nome utente|Nome de usuário|Nome de utilizador|Användarnamn|Brukernavn"
    "|Käyttäjänimi|Nazwa użytkownika|Uživatelské jméno|Kullan\u0131c\u0131 ad\u0131|Nume de utilizator|Felhasználónév"
)
PROFILE_LINK: Final = _words(
    "Profile|Profile link|Profile URL|Profiel|Profiellink|Link naar profiel|Profil|Profillink|Profil-Link|Profil-URL"
    "|Lien du profil|Perfil|Enlace del perfil|Link do perfil|Profilo|Link del profilo|Profillänk|Profiili"
)
NAME: Final = _words(
    "Name|Full name|Naam|Volledige naam|Navn|Fulde navn|Vollständiger Name|Nom|Nom complet|Nombre|Nombre completo"
    "|Nome|Nome completo|Namn|Nimi|Imię i nazwisko|Jméno|Ad|Nume|Név"
)
BIO: Final = _words(
    "Bio|Biography|Biografie|Biografi|Biographie|Steckbrief|Biografía|Presentación|Biografia|Presentation"
    "|Esittely|Notka biograficzna|Intro"
)
PRIVATE: Final = _words(
    "Private Account|Privéaccount|Privat konto|Privates Konto|Compte privé|Cuenta privada|Account privato"
    "|Profilo privato|Conta privada|Yksityinen tili|Konto prywatne|Soukromý účet|Gizli hesap|Cont privat"
)
COMMENT: Final = _words(
    "Comment|Opmerking|Reactie|Kommentar|Commentaire|Comentario|Commento|Comentário|Kommentti|Komentarz"
    "|Komentář|Yorum|Comentariu|Hozzászólás"
)
MEDIA_OWNER: Final = _words(
    "Media Owner|Media-eigenaar|Eigenaar van media|Medieejer|Ejer af medie|Medieninhaber|Medien-Inhaber"
    "|Eigentümer*in der Medien|Propriétaire du média|Propietario del contenido multimedia"
    "|Propietario de los medios|Proprietario dei contenuti multimediali|Proprietário da mídia|Medieägare|Medieeier"
)
TEXT: Final = _words(
    "Message|Text|Post|Caption|Description|Bericht|Tekst|Bijschrift|Beschrijving|Besked|Opslag|Billedtekst"
    "|Beskrivelse|Nachricht|Beitrag|Bildunterschrift|Beschreibung|Texte|Publication|Légende|Mensaje|Texto"
    "|Publicación|Pie de foto|Descripción|Messaggio|Testo|Didascalia|Descrizione|Mensagem|Legenda|Descrição"
    "|Meddelande|Inlägg|Bildtext|Beskrivning|Melding|Innlegg|Viesti|Teksti|Kuvateksti|Wiadomość|Treść|Podpis"
)
AUDIENCE: Final = _words(
    "Audience|Privacy|Doelgroep|Publiek|Målgruppe|Zielgruppe|Publikum|Sichtbarkeit|Confidentialité|Público"
    "|Privacidad|Pubblico|Målgrupp|Yleisö|Odbiorcy"
)
GROUP: Final = _words("Group|Groep|Gruppe|Groupe|Grupo|Gruppo|Grupp|Ryhmä|Grupa|Skupina")

YES: Final = _words("True|Yes|Waar|Ja|Sand|Wahr|Vrai|Oui|Verdadero|Sí|Vero|Sì|Verdadeiro|Sim|Sant|Kyllä|Prawda|Tak")
NO: Final = _words("False|No|Onwaar|Nee|Falsk|Falsch|Nein|Nej|Nei|Faux|Non|Falso|Não|Falskt|Usann|Ei|Fałsz|Nie|Usand")

PUBLIC: Final = _words(
    "Public|Openbaar|Iedereen|Offentlig|Offentligt|Öffentlich|Tout le monde|Pública|Público|Pubblica|Tutti"
    "|Offentlig|Alla|Julkinen|Publiczne"
)
FRIENDS: Final = _words(
    "Friends|Your friends|Friends of friends|Friends except...|Specific friends|Followers|Vrienden|Je vrienden"
    "|Vrienden van vrienden|Volgers|Venner|Dine venner|Venners venner|Følgere|Freunde|Deine Freunde"
    "|Freunde von Freunden|Amis|Vos amis|Amis et leurs amis|Amigos|Tus amigos|Amigos de amigos|Amici|I tuoi amici"
    "|Amici degli amici|Vänner|Dina vänner|Vänners vänner|Kaverit|Znajomi"
)
ONLY_ME: Final = _words(
    "Only me|Alleen ik|Kun mig|Nur ich|Moi uniquement|Solo yo|Solo io|Somente eu|Apenas eu|Bara jag|Bare meg"
    "|Vain minä|Tylko ja"
)
