"""One labelled row of a sheet, as far as the sheet itself can say."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.review import Label, LabelValue, Stratum


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row that holds a label, found sound in itself; whether the store knows its trial is not looked at here.

    ``line`` is the line, the row of the spreadsheet or the number of the JSON object, from 1. What the sheet does not
    say is ``""`` (``text_hash``, ``trial``, ``run``, ``reviewer``) or None.
    """

    file: str
    line: int
    value: LabelValue
    text_hash: str = ""
    trial: str = ""
    run: str = ""
    reviewer: str = ""
    at: float | None = None
    failure_kind: str = ""
    note: str = ""
    blind: bool | None = None
    seconds: float | None = None
    stratum: Stratum | None = None
    inclusion: float | None = None

    def label(self, *, reviewer: str, at: float) -> Label:
        """The label, with ``reviewer`` and ``at`` where the row names none of its own."""
        return Label(
            self.text_hash, self.trial, self.run, self.value, self.reviewer or reviewer,
            at if self.at is None else self.at, self.failure_kind, self.note, self.blind, self.seconds,
            self.stratum or "asked_for", 1.0 if self.inclusion is None else self.inclusion, self.file,
        )  # fmt: skip
