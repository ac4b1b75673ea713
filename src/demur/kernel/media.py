"""Pictures: who is shown in them, and what their descriptions say.

Invariants: a picture that shows or describes a suppressed person or a known minor goes, whoever posted it; the
other pictures of the item stay.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel import schema
from demur.kernel.keying import in_lists
from demur.kernel.rules import Rules


def governed_media(media: pa.Array, rules: Rules) -> pa.Array:
    """A list column of schema.STORED_MEDIA without the pictures of withheld people; never null."""
    flat = media.flatten()
    if not len(flat):
        return in_lists(np.zeros(len(media), np.int64), flat)
    tagged = flat.field("tagged")
    picture = pc.list_parent_indices(tagged).to_numpy(zero_copy_only=False)
    shown = pc.fill_null(tagged.flatten(), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    goes = np.zeros(len(flat), bool)
    goes[picture[rules.is_withheld(shown)]] = True
    row = pc.list_parent_indices(media).to_numpy(zero_copy_only=False)
    return in_lists(np.bincount(row[~goes], minlength=len(media)), flat.filter(pa.array(~goes)))


def with_media(flat: pa.StructArray, alt: pa.Array, tagged: pa.Array) -> pa.StructArray:
    """The pictures with other descriptions and other people shown."""
    children = [flat.field("uri"), flat.field("type"), alt, tagged]
    return pa.StructArray.from_arrays(children, fields=list(schema.STORED_MEDIA))
