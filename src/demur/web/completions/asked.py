"""What a client asks of a model: the fields of OpenAI's `POST /v1/completions`, as far as they are done here.

Invariant: a field that is not done is refused by its name, unless its value asks for nothing; none is ignored.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from demur.errors import UsageError
from demur.training.generating import Sampling

_USUAL_TOKENS: Final = 16
"""Where `max_tokens` is not given, as in OpenAI's API."""
_MOST_STOPS: Final = 4
_NOTHING: Final = frozenset(
    {"best_of", "frequency_penalty", "presence_penalty", "echo", "logprobs", "logit_bias", "suffix"}
)
"""Fields that are not done, and are taken where they ask for nothing."""

Stop = Annotated[str, Field(min_length=1, max_length=256)]


class StreamOptions(BaseModel):
    """How a stream ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    include_usage: bool = False


class Asked(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=_MOST_STOPS)] | None = None
    seed: int | None = None
    user: str | None = None
    """Kept nowhere."""

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, said: Any) -> Any:  # noqa: ANN401  # whatever came
        """Leave out what asks for nothing."""
        if not isinstance(said, dict):
            return said
        return {name: value for name, value in said.items() if name not in _NOTHING or not _is_nothing(name, value)}

    @property
    def text(self) -> str:
        """The prompt."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]

    @property
    def sampling(self) -> Sampling:
        """How tokens are drawn."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Sampling(
            tokens=self.max_tokens or _USUAL_TOKENS,
            temperature=1.0 if self.temperature is None else self.temperature,
            nucleus=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=tuple(stop),
        )

    def require(self, run: str) -> None:
        """Make sure that the model that is asked for is the one that answers.

        Raises:
            UsageError: when it is another one.
        """
        if self.model != run:
            raise UsageError(f"There is no model of that name here: ask for {run!r}.")


def _is_nothing(name: str, value: object) -> bool:
    return value in (None, False, {}, "") or value == (1 if name == "best_of" else 0)
