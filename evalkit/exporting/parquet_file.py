"""A table as Parquet, by pyarrow, which is an optional package."""

from __future__ import annotations

import io
from typing import Any

from evalkit.errors import MissingPackage
from evalkit.exporting.columns import ColumnType, ExportTable

NEEDED_BY, PACKAGE, EXTRA = "evalkit report --format parquet", "pyarrow", "dataset"


def parquet_bytes(table: ExportTable, metadata: dict[str, str]) -> bytes:
    """The table with its columns' types and meanings, and ``metadata``, in the file's own schema.

    Raises:
        MissingPackage: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingPackage(NEEDED_BY, PACKAGE, EXTRA) from None
    types: dict[ColumnType, Any] = {
        "text": pyarrow.string(), "integer": pyarrow.int64(), "number": pyarrow.float64(), "truth": pyarrow.bool_(),
    }  # fmt: skip
    fields = [
        pyarrow.field(column.name, types[column.type], metadata={"meaning": column.meaning})
        for column in table.columns
    ]  # fmt: skip
    schema = pyarrow.schema(fields, metadata=metadata)
    columns = [
        pyarrow.array([row[place] for row in table.rows], type=types[column.type])
        for place, column in enumerate(table.columns)
    ]
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()
