"""The register's head, as a training follows it: who may not be used any more."""

from demur.corpus.session import Session
from demur.identity import SubjectKeys


class RegisterHead:
    """Asks the register of the people of one plan; a look costs one statement while nothing bound since the last."""

    def __init__(self, session: Session, people: SubjectKeys) -> None:
        self._session = session
        self._people = people
        self._binding: int | None = None

    def withheld(self) -> SubjectKeys | None:
        """Who of these people may not be used now, sorted; None where nothing has changed since it was asked last.

        Raises:
            UnavailableError: when the register can't be asked: then nothing may be trained on (law 4).
        """
        binding = self._session.register.log.head().binding
        if binding == self._binding:
            return None
        rules, self._binding = self._session.wordless()
        return self._people[rules.is_withheld(self._people)]
