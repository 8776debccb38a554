"""What a modality may be given as, and how each is read."""

from __future__ import annotations

from typing import TypeAlias

from pyrocrl.data.images import Image
from pyrocrl.data.modality import Readable, Reading
from pyrocrl.data.table import Table
from pyrocrl.data.tables import TableLike

__all__ = ["Source", "read"]


Source: TypeAlias = "TableLike | Readable"


def read(name: str, source: Source) -> Reading:
    """Read one modality and check everything that can be said without the other modalities.

    Args:
        name: the modality.
        source: a table, something that reads itself, or an array with four axes, which is taken
            for images.

    Returns:
        Rows in the order of the source.

    Raises:
        DataError: it cannot be used; names the modality.

    >>> import pandas as pd
    >>> len(read("labs", pd.DataFrame({"iron": [1.0, 2.0]})))
    2
    """
    if isinstance(source, Readable):
        return source.read(name)
    if getattr(source, "ndim", None) == 4:
        return Image(source).read(name)
    return Table(source).read(name)
