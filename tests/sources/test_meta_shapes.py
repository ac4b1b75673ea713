"""Whatever a JSON file of an export holds, an adapter answers with items or with one sentence."""

import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demur.errors import SourceError
from demur.sources import load_source

_FILES: Final = {
    "instagram": (
        "content/posts_1.json",
        "content/stories.json",
        "comments/post_comments.json",
        "media.json",
        "messages.json",
        "profile.json",
        "messages/inbox/a_1/message_1.json",
        "personal_information/personal_information.json",
    ),
    "facebook": (
        "posts/your_posts_1.json",
        "posts/album/0.json",
        "notes/notes.json",
        "comments/comments.json",
        "messages/inbox/a_1/message_1.json",
        "profile_information/profile_information.json",
    ),
}
_KEYS: Final = [
    "media",
    "uri",
    "title",
    "timestamp",
    "creation_timestamp",
    "data",
    "post",
    "attachments",
    "note",
    "text",
    "poll",
    "options",
    "option",
    "tags",
    "name",
    "description",
    "comments",
    "comment",
    "author",
    "group",
    "label_values",
    "label",
    "value",
    "href",
    "dict",
    "fbid",
    "string_map_data",
    "Comment",
    "Username",
    "photos",
    "path",
    "taken_at",
    "conversation",
    "sender",
    "created_at",
    "messages",
    "sender_name",
    "timestamp_ms",
    "content",
    "share",
    "share_text",
    "sticker",
    "profile_v2",
    "username",
    "profile_uri",
    "full_name",
    "intro_bio",
    "last_modified_timestamp",
    "Audience",
]
_LEAVES: Final = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**13)
    | st.floats()
    | st.sampled_from(
        ["", "x", "@[1:2:Ann] hi", "Public", "2020-11-04T16:08:50+00:00", "https://facebook.com/ann", "\ud800", "Ã\x83"]
    )
)
_JSON: Final = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("source", _FILES)
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_shape_is_items_or_one_sentence(source: str, folder: Callable[..., str], data: st.DataObject) -> None:
    tree: dict[str, Any] = dict.fromkeys(_FILES[source], b"[]")
    name = data.draw(st.sampled_from(_FILES[source]))
    record = data.draw(_JSON)
    whole = data.draw(st.sampled_from([record, [record], {"x_v2": [record]}]))
    tree[name] = json.dumps(whole).encode()
    with contextlib.suppress(SourceError):
        for batch in load_source(source).read([folder(tree)], {}):
            batch.validate(full=True)
