"""demur.toml as frozen, validated models: its tables, the whole of them under one roof, and a hash of what decides.

Invariants: a :class:`Policy` that exists holds together; whatever is not said has the safe value (public audience
only, messages and minors never, an unknown age left out, a notice asked for, no mail leaves the workspace). The text
under each field is its unit and meaning: it is also the comment that ``demur init`` writes above the key and the row
in docs/policy.md.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from demur.policy.fields import (
    ADULT,
    Age,
    Audiences,
    BounceAddress,
    Caseless,
    Country,
    Day,
    DayOrNone,
    Days,
    Identifier,
    Kinds,
    Language,
    Languages,
    MailAddress,
    Namespace,
    Origins,
    PortalUrl,
    Profiles,
    Regions,
    RegisterUrl,
    Score,
    Server,
    StoreEndpoint,
    StoreUrl,
    Trace,
    Unknown,
    WebUrl,
    Word,
    public,
)
from demur.spelling import Names
from demur.terms import Audience, Basis, Kind

FORMAT: Final = 1
"""The version of demur.toml that this demur reads; a file with a higher one is refused."""


class Section(BaseModel):
    """A table of demur.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


class Controller(Section):
    """[controller]."""

    name: str = ""
    """Name of the organisation, as it stands in notices, manifests and data cards."""
    contact: MailAddress = ""
    """Mail address that anyone can write to."""
    dpo: MailAddress = ""
    """Mail address of the data protection officer (Art. 37 GDPR), "" if there is none."""
    address: str = ""
    """Postal address, in one line."""
    country: Country = ""
    """Country of the main establishment, ISO 3166-1 alpha-2, "" if not said."""


class Purpose(Section):
    """[purpose]."""

    name: str = "Training of generative AI models"
    """The purpose in a few words; in another language it is purpose_name of [notice.wording.LANGUAGE]."""
    description: str = ""
    """The purpose in a sentence or two, in words that members understand."""


class Assessment(Section):
    """One legal basis: the document that assesses it, when, and who answers for it."""

    document: str = ""
    """Title, path or URL of the assessment, "" while there is none."""
    date: DayOrNone = None
    """Day of the signature, "" while it is not signed."""
    signed_by: str = ""
    """Name or role of who signed it, "" while it is not signed."""

    @property
    def signed(self) -> bool:
        """Whether document, date and signature are all there."""
        return bool(self.document and self.date and self.signed_by)


class LegalBasis(Section):
    """[basis]."""

    use: Annotated[Basis, Field(strict=False)] = Basis.LEGITIMATE_INTERESTS
    """The basis in use; "consent" turns the door around: only authors with a recorded consent come in."""
    consent: Assessment = Assessment()
    """Art. 6(1)(a) GDPR."""
    contract: Assessment = Assessment()
    """Art. 6(1)(b) GDPR."""
    legal_obligation: Assessment = Assessment()
    """Art. 6(1)(c) GDPR."""
    vital_interests: Assessment = Assessment()
    """Art. 6(1)(d) GDPR."""
    public_task: Assessment = Assessment()
    """Art. 6(1)(e) GDPR."""
    legitimate_interests: Assessment = Assessment()
    """Art. 6(1)(f) GDPR."""

    @property
    def assessment(self) -> Assessment:
        """The assessment of the basis in use."""
        found = getattr(self, self.use.value.replace("-", "_"))
        assert isinstance(found, Assessment)
        return found

    @property
    def signed(self) -> bool:
        """Whether the basis in use has a document, a date and a signature; publishing waits for it."""
        return self.assessment.signed


class Wording(Section):
    """[notice.wording.LANGUAGE]: what only the controller can say, in one language."""

    purpose_name: str = ""
    """The purpose in a few words, where purpose.name is in another language."""
    purpose: str = ""
    """The purpose in a sentence or two, in words that members understand."""
    interests: str = ""
    """The legitimate interests pursued (Art. 13(1)(d) GDPR)."""
    recipients: str = ""
    """Who receives the corpus or what is made of it (Art. 13(1)(e) GDPR)."""
    transfers: str = ""
    """Transfers to third countries and their safeguards, or that there are none (Art. 13(1)(f) GDPR)."""
    storage: str = ""
    """How long the data is kept, or by what that is decided (Art. 13(2)(a) GDPR)."""
    source: str = ""
    """Where data that people did not give you themselves comes from (Art. 14(2)(f) GDPR)."""


class Notice(Section):
    """[notice]."""

    required: bool = True
    """Whether only authors who were told come in."""
    period_days: Days = 30
    """Days between telling an author and the first use of what they wrote."""
    languages: Languages = ("en",)
    """Languages of the notice that you have read and signed off, BCP 47, the first one for everybody else."""
    in_app: Literal["none", "pull", "webhook"] = "none"
    """Notices within the platform: "none", "pull" (it asks the API for them) or "webhook" (they are sent to it)."""
    wording: Mapping[Language, Wording] = {}
    """What only you can say, a table for each language: [notice.wording.en], [notice.wording.de] ..."""


class Door(Section):
    """[door]."""

    kinds: Kinds = tuple(kind for kind in Kind if kind is not Kind.MESSAGE)
    """Kinds that come in, and that notices name; a private message also needs "direct" in audiences."""
    audiences: Audiences = (Audience.PUBLIC,)
    """Audiences whose items come in: public, unlisted, followers, group, direct."""
    origins: Origins = ("first-party",)
    """Where items come from: "first-party" and names of third parties, or "any"."""
    since: DayOrNone = None
    """First day (UTC) of the time range: older and undated items are left out; "" for no limit."""
    unknown_region: Unknown = "leave-out"
    """Authors of unknown region, where regions is a list: "leave-out" or "use"."""
    minimum_age: Age = ADULT
    """Years an author must have completed for certain; minors never come in, so at least 18."""
    unknown_age: Unknown = "leave-out"
    """Authors of unknown age: "leave-out" or "use"."""


_MARKUP: Final = ("mentions", "quotes")
_WORDS: Final = ("names", "names_from", "copies", "copies_from")


class Others(Section):
    """[others]."""

    mentions: Trace = "mask"
    """An item that mentions a suppressed person: "mask" the mention or "drop" the item."""
    quotes: Trace = "mask"
    """An item that quotes a suppressed person: "mask" the quote or "drop" the item."""
    names: Word = "mask"
    """A suppressed person's name without markup: "mask" it, "drop" the item, or "keep" it (nobody looks for names)."""
    names_from: Score = 50
    """How sure it must be, 0 to 100, that a name means a suppressed person."""
    names_sure: Score = 80
    """Below this score a name is masked, and put before an officer."""
    copies: Word = "mask"
    """A suppressed person's words without their name: "mask" them, "drop" the item, or "keep" them."""
    copies_from: Score = 50
    """How sure it must be, 0 to 100, that words are a copy."""
    copies_sure: Score = 80
    """Below this score a copy is masked, and put before an officer."""

    @property
    def looks_for_names(self) -> bool:
        """Whether names are looked for in the words of texts."""
        return self.names != "keep"

    @property
    def looks_for_copies(self) -> bool:
        """Whether copies are."""
        return self.copies != "keep"

    @property
    def words_decide_by(self) -> tuple[str | int, ...]:
        """What decides how texts are changed for names and copies; when an officer looks changes nothing."""
        return tuple(getattr(self, name) for name in _WORDS)


class Identifiers(Section):
    """[identifiers]."""

    handles: Identifier = "replace"
    """Handles like @ann: "replace" or "keep"."""
    profile_urls: Identifier = "replace"
    """Links to profiles: "replace" or "keep"."""
    mail: Identifier = "replace"
    """Mail addresses: "replace" or "keep"."""
    phone: Identifier = "replace"
    """Telephone numbers: "replace" or "keep"."""
    iban: Identifier = "replace"
    """Bank accounts (ISO 13616): "replace" or "keep"."""
    ip: Identifier = "replace"
    """IP addresses: "replace" or "keep"."""
    region: Country = ""
    """Country whose phone numbers are meant where the author's is unknown; "" for a single one in regions."""


class Pictures(Section):
    """[pictures]."""

    use: Literal["no", "yes"] = "no"
    """"yes" takes pictures of items in, too: copies of them, faces, words in them and film are not looked for yet."""
    longest_side: Annotated[int, Field(ge=64, le=4096)] = 1024
    """Pixels of the longer side, to which a larger picture is made smaller; originals are never kept."""
    tagged: Literal["drop"] = "drop"
    """A picture that shows or describes a suppressed person: "drop"; there is nothing else to choose."""
    metadata: Literal["strip"] = "strip"
    """What a file says of its camera, place and maker: "strip"; there is nothing else to choose."""
    rights: Literal["respect"] = "respect"
    """Reservations in a file against mining and training: "respect"; there is nothing else to choose."""

    @property
    def come_in(self) -> bool:
        """Whether pictures come in at all."""
        return self.use == "yes"


NOT_YET: Final[Mapping[str, str]] = {
    "pictures.copies": "copies of pictures to be found",
    "pictures.faces": "faces in pictures to be found",
    "pictures.words": "words in pictures to be read",
    "pictures.frames_per_second": "film to be read",
}
"""Keys that are refused by saying so: whoever writes one must not believe that it is done."""


class Retention(Section):
    """[retention]."""

    versions_days: Days = 30
    """Days for which a stale version is kept before maintenance retires it and removes its files."""


class Training(Section):
    """[training]."""

    replay: Literal["by-hand", "worker"] = "by-hand"
    """Who trains a run again once somebody in it objects: "by-hand" (`demur replay RUN`), or the "worker" by itself."""
    replay_after_hours: Annotated[int, Field(ge=0, le=720)] = 24
    """Hours for which the worker gathers objections into one replay; they are out of what serves all the while."""


class Objections(Section):
    """[objections]."""

    confirm_within_days: Annotated[int, Field(ge=1, le=36_500)] = 30
    """Days to answer once it is on record that a typed-in objection is doubted; at least 28, with two reminders."""


class Accounts(Section):
    """[accounts]."""

    ignore_case: Caseless = ()
    """Namespaces, as the sources have them, whose names have no case, as most forums': ["forum"]; before the import."""
    mail_case: Literal["ignore", "keep"] = "ignore"
    """Capitals before the @ of a mail address: "ignore", as mail servers do, or "keep" two addresses apart by them."""
    profiles: Profiles = {}
    """Addresses of profiles, by namespace: "https://forum.example/u/{name}" for forum, {name} being the name."""
    mail_tags: Literal["cover", "keep"] = "cover"
    """A letter from ann+tag@example.org: "cover" ann@example.org, too (nearly always one person), or "keep" apart."""

    @property
    def names(self) -> Names:
        """What is declared, as names are compared by it."""
        return Names(frozenset(self.ignore_case), self.mail_case == "keep", tuple(sorted(self.profiles.items())))


class Portal(Section):
    """[portal]."""

    url: PortalUrl = "http://127.0.0.1:8470"
    """Where people reach the portal: the beginning of every link in a notice."""
    namespace: Namespace = ""
    """Namespace of the platform's own accounts, as the sources have it, for names that are typed in without one."""
    platform_key: str = ""
    """PEM file, in the workspace, of the Ed25519 public key that checks the tokens of signed-in users; "" for none."""
    attachment_mb: Annotated[int, Field(ge=0, le=100)] = 10
    """Largest attachment that the portal takes, in megabytes."""

    @property
    def public(self) -> bool:
        """Whether others can reach it."""
        return public(self.url)


class Mail(Section):
    """[mail]."""

    sender: MailAddress = ""
    """Address that mails come from, "" for the controller's contact."""
    bounce_address: BounceAddress = ""
    """Where mails come back to, like "bounce+{code}@example.org", each with its own {code}; "" for the sender."""
    server: Server = ""
    """SMTP server, "host:port"; "" puts mails into the workspace's own outbox and sends none."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is protected (RFC 3207, RFC 8314); "none" only within one machine."""
    user: str = ""
    """User name at the server, "" for none; the password is DEMUR_SMTP_PASSWORD or the file keys/smtp.password."""
    per_second: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Most mails a second, 0 for as many as the server takes."""
    connections: Annotated[int, Field(ge=1, le=10)] = 4
    """Connections to the server that a worker opens at most for notices, and as many for mails to one person."""


class Webhooks(Section):
    """[webhooks]."""

    url: WebUrl = ""
    """Where the platform hears what happened, "" for none; signed with DEMUR_WEBHOOK_SECRET or keys/webhook.secret."""


class RegisterPlace(Section):
    """[register]."""

    url: RegisterUrl = ""
    """"" or "sqlite:///register.db" (a file in the workspace), or "postgresql://user@host/database"."""
    mark: str = ""
    """File that says how far the register was acknowledged, best on another disk; "" for one in the workspace."""


class LogPlace(Section):
    """[log]."""

    witnesses: str = ""
    """File in the workspace, a C2SP tlog-policy, of the witnesses that are asked to cosign the log; "" for none."""


class StorePlace(Section):
    """[store]."""

    url: StoreUrl = ""
    """Where the corpus lies: "" for the workspace, or "s3://BUCKET/PATH", "gs://BUCKET/PATH", "az://CONTAINER/PATH"."""
    endpoint: StoreEndpoint = ""
    """Address of a store that is not its vendor's, "https://HOST:PORT"; "" else. Keys come from the environment."""
    region: str = ""
    """Region of an S3 bucket, "" for what AWS_REGION says."""


class Policy(Section):
    """The whole of demur.toml."""

    format: Literal[1] = FORMAT
    """Version of this file's format."""
    regions: Regions = "any"
    """Regions of authors that come in: "any", or a list of ISO 3166-1 alpha-2 codes."""
    effective_date: Day
    """Day from which this policy holds, as your notice states it."""
    controller: Controller = Controller()
    """Who answers for the processing (Art. 4(7) GDPR)."""
    purpose: Purpose = Purpose()
    """What the corpus is for (Art. 5(1)(b) GDPR)."""
    basis: LegalBasis = LegalBasis()
    """The legal basis (Art. 6(1) GDPR); publishing waits until the one in use is signed."""
    notice: Notice = Notice()
    """What people are told before their content is used (Arts 13, 14 and 21(4) GDPR)."""
    door: Door = Door()
    """Which items may come in at all."""
    others: Others = Others()
    """What happens to what others wrote about suppressed people; reshares of theirs are always dropped."""
    identifiers: Identifiers = Identifiers()
    """Direct identifiers of anyone in text."""
    pictures: Pictures = Pictures()
    """Pictures of items, beside what is written (docs/pictures.md)."""
    retention: Retention = Retention()
    """How long things are kept (Art. 5(1)(e) GDPR)."""
    training: Training = Training()
    """How models follow objections."""
    objections: Objections = Objections()
    """How objections are handled (Art. 21 GDPR)."""
    portal: Portal = Portal()
    """Where people object, see and withdraw."""
    mail: Mail = Mail()
    """How mails leave."""
    webhooks: Webhooks = Webhooks()
    """How the platform hears what happened."""
    register_: Annotated[RegisterPlace, Field(alias="register")] = RegisterPlace()
    """Where the register lives."""
    log: LogPlace = LogPlace()
    """Who vouches that everybody is shown one log (docs/log.md)."""
    store: StorePlace = StorePlace()
    """Where the corpus lives; declare it before the first import (docs/storage.md)."""
    accounts: Accounts = Accounts()
    """How names of accounts are compared; declare it before the first import (docs/objecting.md says why)."""
    sources: Mapping[str, dict[str, object]] = {}
    """Options of the sources, a table each: [sources.irc], [sources.table] ..."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    @property
    def home(self) -> str | None:
        """The country whose phone numbers are meant where an author's is unknown; None where there are several."""
        if self.identifiers.region:
            return self.identifiers.region
        return self.regions[0] if self.regions != "any" and len(self.regions) == 1 else None

    @property
    def tries_out(self) -> bool:
        """Whether mails are only written to the outbox, on a machine that nobody else reaches.

        What was "sent" so counts for as long as that lasts, so that one sees what demur does, and no longer.
        """
        return not self.mail.server and not self.portal.public

    def rules_hash(self) -> str:
        """SHA-256, in hexadecimal, of everything that decides what comes in and how text is changed.

        Taken over canonical JSON (RFC 8785): two policies that decide alike have one hash, in whatever order
        their lists stand; who the controller is, languages, retention, training and places do not count.
        """
        dump = self.model_dump(mode="json", by_alias=True)
        rules = {name: dump[name] for name in ("regions", "door", "identifiers")}
        if not self.identifiers.region:  # a policy that declares none has the hash it always had
            del rules["identifiers"]["region"]
        rules["basis"] = dump["basis"]["use"]
        rules["notice"] = {name: dump["notice"][name] for name in ("required", "period_days")}
        plain = self.others.words_decide_by == Others().words_decide_by  # a policy that says nothing of words
        rules["others"] = {name: dump["others"][name] for name in _MARKUP + (() if plain else _WORDS)}
        if self.accounts.names != Accounts().names:  # a policy that declares nothing has the hash it always had
            del dump["accounts"]["mail_tags"]  # whom a letter covers lets nothing in
            rules["accounts"] = dump["accounts"]
        if self.pictures.come_in:  # a policy without pictures has the hash it always had
            rules["pictures"] = dump["pictures"]
        text = json.dumps(_sorted(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _sorted(value: object) -> object:
    """The value with every list in order: a list of a policy is a set."""
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(value) if isinstance(value, list) else value
