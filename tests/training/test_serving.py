"""What answers for a run: completions by what the pointer names, and nothing of anybody who has objected."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest
import torch
from calling import Demur
from served import Served, Thread
from trainable import Community, account

from demur.errors import UnavailableError
from demur.register import KeyScope
from demur.runs.folder import RunFolder, find_run
from demur.runs.pointer import Pointer, read_pointer, write_pointer
from demur.training.generating import Generation, Sampling
from demur.training.replay import replay
from demur.training.serving import Head, Loaded, Model, MovedError, Pointers, serving
from demur.web.completions.root import create_app
from demur.web.server.crowd import Bounds
from demur.workspace import Workspace

torch.set_num_threads(1)
PROMPT: Final = "rain tea"
FEW: Final = Sampling(tokens=8, seed=1)
GREEDY: Final = Sampling(tokens=12, temperature=0)


def run_of(community: Community) -> RunFolder:
    return find_run(community.workspace.models_path, "one")


def pointer(community: Community) -> Pointer:
    found = read_pointer(run_of(community))
    assert found is not None
    return found


def objects(community: Community, who: int = 0) -> None:
    with community.workspace.register() as register:
        register.objections.lodge([account(who)], channel="letter")


@pytest.fixture
def model(own: Community) -> Iterator[Model]:
    with serving(own.workspace, "one") as found:
        yield found


# drawing


def test_what_is_drawn_greedily_is_what_the_library_draws(model: Model) -> None:
    loaded, generation, text = model.complete(PROMPT, GREEDY)
    tokenizer = loaded.tokenizer
    ids = [tokenizer.begin, *tokenizer.inner.encode(PROMPT, add_special_tokens=False).ids]
    settings = {"do_sample": False, "max_new_tokens": GREEDY.tokens, "pad_token_id": tokenizer.end}
    theirs = loaded.network.generate(torch.tensor([ids]), **settings)[0, len(ids) :].tolist()
    assert text == tokenizer.inner.decode(theirs, skip_special_tokens=True)
    assert generation.tokens == len(theirs)
    assert generation.prompt_tokens == len(ids)


def test_a_seed_gives_the_same_text_again_and_pieces_join_to_it(model: Model) -> None:
    sampling = Sampling(tokens=20, temperature=1.3, nucleus=0.9, seed=7)
    _, _, text = model.complete(PROMPT, sampling)
    _, _, pieces = model.pieces(PROMPT, sampling)
    assert "".join(pieces) == text == model.complete(PROMPT, sampling)[2]


def test_a_text_that_ends_it_is_not_part_of_it_and_never_begins_to_leave(model: Model) -> None:
    _, _, whole = model.complete(PROMPT, GREEDY)
    end = whole[4:7]
    _, generation, pieces = model.pieces(PROMPT, replace(GREEDY, stop=(end,)))
    told = list(pieces)
    assert "".join(told) == whole[: whole.index(end)]
    assert generation.finish == "stop"


def test_half_a_character_waits(model: Model) -> None:
    loaded = model.loaded()
    inner = loaded.tokenizer.inner
    ids = inner.encode("aé", add_special_tokens=False).ids
    assert len(ids) == 3

    class Said:
        """Draws these ids."""

        def parameters(self) -> Iterator[torch.Tensor]:
            return iter([torch.zeros(1)])

        def forward(self, _: torch.Tensor, *, cache: int | None, **__: object) -> Any:  # noqa: ANN401
            at = cache or 0
            logits = torch.full((1, 1, loaded.tokenizer.size), -9.0)
            logits[0, 0, ids[at]] = 9.0
            return type("Told", (), {"logits": logits, "cache": at + 1})

        __call__ = forward

    generation = Generation(Said(), loaded.tokenizer, PROMPT, Sampling(tokens=3, temperature=0))
    assert [piece for piece in generation if piece] == ["a", "é"]


# the pointer


def test_an_objection_changes_what_answers_at_once(own: Community, model: Model) -> None:
    before = model.loaded()
    assert before.at == ((pointer(own).model, pointer(own).checkpoint),)
    objects(own)
    assert not model.may_leave(before)
    after = model.loaded()
    assert after.at[0][1] < before.at[0][1]
    assert after.at == ((pointer(own).model, pointer(own).checkpoint),)


def test_what_another_request_learns_makes_an_old_one_no_cleaner(model: Model, own: Community) -> None:
    before = model.loaded()
    objects(own)
    assert model.loaded() is not before
    assert not model.may_leave(before)


def test_a_replay_is_taken_up_and_what_was_begun_is_finished(own: Community, model: Model) -> None:
    objects(own)
    begun, _, pieces = model.pieces(PROMPT, replace(FEW, tokens=4))
    first = next(pieces)
    replay(own.workspace, "one")
    assert pointer(own).model == "0002"
    rest = list(pieces)
    assert isinstance(first + "".join(rest), str)
    assert begun.at[0][0] == "0001"
    assert model.loaded().at == (("0002", pointer(own).checkpoint),)


def test_what_is_being_drawn_when_somebody_objects_is_cut_or_begun_again(
    own: Community, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, pieces = model.pieces(PROMPT, FEW)
    next(pieces)
    objects(own)
    with pytest.raises(MovedError, match="objected"):
        list(pieces)
    at = pointer(own).checkpoint
    drawn = Generation.__iter__
    first = [True]

    def object_meanwhile(self: Generation) -> Iterator[str]:
        for piece in drawn(self):
            if first and first.pop():
                objects(own, 1)
            yield piece

    monkeypatch.setattr(Generation, "__iter__", object_meanwhile)
    loaded, _, text = model.complete(PROMPT, GREEDY)
    assert loaded.at[0][1] == pointer(own).checkpoint <= at
    assert text == model.complete(PROMPT, GREEDY)[2]


def test_a_crash_between_acknowledgement_and_move_lets_nothing_leave(own: Community, model: Model) -> None:
    before = model.loaded()
    with own.workspace.register() as register:
        register.follow_with(lambda: None)  # the process died here
        register.objections.lodge([account(0)], channel="letter")
    assert pointer(own).checkpoint == before.at[0][1]
    assert not model.may_leave(before)
    assert model.loaded().at[0][1] < before.at[0][1]


def test_where_everybody_objects_the_base_answers(own: Community, model: Model) -> None:
    with own.workspace.register() as register:
        register.objections.lodge([account(number) for number in range(24)], channel="letter")
    assert model.loaded().at == (("0001", 0),)
    assert model.complete(PROMPT, FEW)[2] is not None


def test_while_the_next_is_loaded_what_may_go_on_answers(
    own: Community, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demur.training import serving as module  # noqa: PLC0415  # to hold its loading

    before, hold, at_it = model.loaded(), threading.Event(), threading.Event()
    loading = module.load

    def slow(name: str, runs: Sequence[RunFolder], where: Pointers) -> Loaded:
        at_it.set()
        assert hold.wait(60)
        return loading(name, runs, where)

    monkeypatch.setattr(module, "load", slow)
    found = pointer(own)
    write_pointer(run_of(own), replace(found, checkpoint=own.run().model.steps()[1]))  # moved, and nobody objected
    thread = threading.Thread(target=model.loaded)
    thread.start()
    assert at_it.wait(60)
    assert model.loaded() is before
    hold.set()
    thread.join()
    assert model.loaded().at[0][1] == own.run().model.steps()[1]


def test_past_its_staleness_nothing_leaves(own: Community) -> None:
    clock = [100.0]
    head = Head(own.workspace, [run_of(own)], timedelta(seconds=5), lambda: clock[0])
    model = Model("one", [run_of(own)], head)
    loaded = model.loaded()
    register = own.workspace.root / "register.db"
    register.rename(register.with_name("away"))
    clock[0] += 4
    assert model.loaded() is loaded
    clock[0] += 2
    with pytest.raises(UnavailableError, match="unknown who objected since"):
        model.loaded()
    with pytest.raises(UnavailableError):
        model.may_leave(loaded)
    register.with_name("away").rename(register)
    assert model.loaded() is loaded
    head.close()


def test_a_changed_file_is_not_loaded(own: Community, demur: Demur) -> None:
    path = own.run().model.checkpoint(pointer(own).checkpoint) / "ema.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    ended = demur("generate", "one", PROMPT, "-w", own.workspace.root)
    assert ended.code == 1
    assert "ema.safetensors was changed or is damaged" in ended.err


# the command


def test_the_command_continues_a_text(community: Community, demur: Demur) -> None:
    asked = ("generate", "one", PROMPT, "--tokens", "6", "--seed", "3", "--json", "-w", community.workspace.root)
    told = json.loads(demur(*asked).out)
    assert told == json.loads(demur(*asked).out)
    assert told["model"] == "one/0001"
    assert told["tokens"] <= 6
    assert "There is no run" in demur("generate", "two", PROMPT, "-w", community.workspace.root).err
    assert "leave" not in demur("generate", "one", "x" * 500, "-w", community.workspace.root).err
    assert demur("generate", "one", "x" * 500, "-w", community.workspace.root).code == 2


# over HTTP


@pytest.fixture
def door(own: Community) -> Iterator[str]:
    """The URL of a server of the model, in this process."""
    with serving(own.workspace, "one") as model:
        app = create_app(own.workspace, model, keyed=False)
        with Thread(app, Bounds()).running() as thread:
            yield f"http://127.0.0.1:{thread.port}"


def ask(door: str, **said: Any) -> httpx.Response:  # noqa: ANN401  # fields of a request
    body = {"model": "one", "prompt": PROMPT, "max_tokens": 6, "seed": 3} | said
    return httpx.post(f"{door}/v1/completions", json=body, timeout=60)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """What a client of OpenAI's reads of a stream."""
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]" or "error" in lines[-1]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_a_completion_has_the_shape_that_clients_expect(door: str) -> None:
    told = ask(door).json()
    assert told["object"] == "text_completion"
    assert told["id"].startswith("cmpl-")
    assert told["model"] == "one"
    (choice,) = told["choices"]
    assert choice["index"] == 0
    assert choice["finish_reason"] in {"stop", "length"}
    usage = told["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert ask(door).json()["choices"] == told["choices"]


def test_a_stream_joins_to_the_whole_and_ends_with_its_usage(door: str) -> None:
    whole = ask(door).json()
    answer = ask(door, stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *pieces, last = events(answer)
    assert "".join(each["choices"][0]["text"] for each in pieces) == whole["choices"][0]["text"]
    assert pieces[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert last["choices"] == []
    assert last["usage"] == whole["usage"]
    assert len({each["id"] for each in pieces}) == 1


def test_the_models_are_the_one_that_answers_and_tell_no_step(door: str, own: Community) -> None:
    told = httpx.get(f"{door}/v1/models").json()
    assert [each["id"] for each in told["data"]] == ["one"]
    assert "checkpoint" not in json.dumps(told)
    objects(own)
    assert httpx.get(f"{door}/v1/models").json() == told


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"temperature": 3}, "temperature"),
        ({"logprobs": 5}, "logprobs"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": "x " * 400}, None),
        ({"model": "two"}, None),
        ({"invented": 1}, "invented"),
    ],
)
def test_what_is_not_done_is_refused_by_name(door: str, said: dict[str, Any], param: str | None) -> None:
    answer = ask(door, **said)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert error["message"].endswith(".")


def test_what_asks_for_nothing_is_taken(door: str) -> None:
    nothing: dict[str, Any] = {
        "logprobs": None,
        "echo": False,
        "best_of": 1,
        "presence_penalty": 0,
        "logit_bias": {},
        "suffix": None,
    }
    assert ask(door, **nothing, user="somebody").status_code == 200


def test_chat_is_refused_in_a_sentence(door: str) -> None:
    asked = {"model": "one", "messages": [{"role": "user", "content": "Hello"}]}
    answer = httpx.post(f"{door}/v1/chat/completions", json=asked)
    assert answer.status_code == 400
    assert "/v1/completions" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"content-type": "application/json"}, 400),
        (b"\xff\xfe", {"content-type": "application/json"}, 400),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b'{"prompt": "' + b"x" * 300_000 + b'"}', {"content-type": "application/json"}, 413),
        (b"[" * 100_000, {"content-type": "application/json"}, 400),
    ],
)
def test_hostile_bodies_are_told_so(door: str, content: bytes, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{door}/v1/completions", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_another_path_is_an_error_of_the_same_shape(door: str) -> None:
    answer = httpx.get(f"{door}/v1/engines")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_stream_in_which_somebody_objects_ends_with_a_sentence(
    own: Community, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: Callable[[Generation], Iterator[str]] = Generation.__iter__

    def object_meanwhile(self: Generation) -> Iterator[str]:
        for number, piece in enumerate(drawn(self)):
            if number == 3:
                objects(own)
            yield piece

    monkeypatch.setattr(Generation, "__iter__", object_meanwhile)
    *pieces, last = events(ask(door, stream=True, max_tokens=20, temperature=0))
    assert len(pieces) <= 3
    assert "objected" in last["error"]["message"]
    monkeypatch.undo()
    assert ask(door).status_code == 200


def test_a_head_out_of_reach_is_a_503_without_a_path(own: Community) -> None:
    head = Head(own.workspace, [run_of(own)], timedelta(0))
    model = Model("one", [run_of(own)], head)
    with Thread(create_app(own.workspace, model, keyed=False), Bounds()).running() as thread:
        register = own.workspace.root / "register.db"
        register.rename(register.with_name("away"))
        answer = ask(f"http://127.0.0.1:{thread.port}")
        register.with_name("away").rename(register)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    message = answer.json()["error"]["message"]
    assert "unknown who objected" in message
    assert "/" not in message
    head.close()


def test_over_a_network_a_key_of_its_own_scope_is_asked_for(own: Community) -> None:
    with own.workspace.register() as register:
        good = register.api_keys.create("assistant", KeyScope.GENERATE)
        other = register.api_keys.create("settings page", KeyScope.PLATFORM)
    with (
        serving(own.workspace, "one") as model,
        Thread(create_app(own.workspace, model, keyed=True), Bounds()).running() as thread,
    ):
        url = f"http://127.0.0.1:{thread.port}/v1/models"
        answers = [
            httpx.get(url, headers={"authorization": f"Bearer {key}"} if key else {}) for key in ("", other, good)
        ]
    assert [each.status_code for each in answers] == [401, 403, 200]
    assert answers[0].json()["error"]["type"] == "authentication_error"


def test_the_command_serves_a_model_and_stops(community: Community) -> None:
    served = Served(Workspace(community.workspace.root), "--model", "one")
    try:
        told = httpx.post(
            f"{served.url}/v1/completions", json={"model": "one", "prompt": PROMPT, "max_tokens": 2}, timeout=60
        )
        assert told.status_code == 200
        assert served.get("/en/").status_code == 404
    finally:
        code, _ = served.stop()
    assert code in {0, 143, -15}
