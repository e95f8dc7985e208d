"""Tells small grids of numbers: rows of one length, as matrices and boards have them."""

from __future__ import annotations

import re

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Passage
from evalkit.judging.masking import Extent, blank

_NUMBER = r"[+-]?\d{1,6}(?:\.\d{1,6})?"
_ROW = re.compile(rf"[\[({{|&,;\\ \t]*{_NUMBER}(?:[\[\](){{}}|&,;\\ \t]+{_NUMBER})+[\])}}|&,;.\\ \t]*")
_DIGITS = re.compile(r"[ \t]*[01]{2,32}[ \t]*")
_CELL = re.compile(r"\d+(?:\.\d+)?")
_MOST_ROWS = 40
_LONGEST_ROW = 400
_FEW_ROWS = 12
_ASKS_GRID = re.compile(
    r"\b(?:matri(?:x|ces|z|zen|ces)|matrices?|matrice|matriz(?:es)?|\w*matri(?:x|zen)|grids?|boards?|arrays?|tensors?|"
    r"raster|gitter|spielfeld|spielbrett|brett|cuadrícula|rejilla|tablero|grille|damier|plateau|griglia|scacchiera|"
    r"tabell\w*|grade|tabuleiro|tables?|tablas?|tableaux?|tabelas?|sudoku|minesweeper|battleships?|bitmap|pixels?)\b",
    re.IGNORECASE,
)


def without_grids(passage: Passage, asked: Asked) -> Passage:
    """The passage with grids hidden, where one is asked for or the passage is nothing but one small grid."""
    if passage.line is not None:
        return passage
    found = _grids(passage.visible)
    if not found:
        return passage
    hidden = tuple(sorted([*passage.hidden, *found]))
    visible = blank(passage.visible, found)
    if not _ASKS_GRID.search(asked.prompt) and (visible.strip(" \n[](){}") or not _is_small(passage.visible, found)):
        return passage
    return Passage(passage.text, passage.part, hidden, visible, blank(passage.prose, found), passage.is_cut)


def _grids(text: str) -> list[Extent]:
    """Two rows or more in a row that hold as many numbers each, forty rows at most."""
    grids: list[Extent] = []
    start = end = rows = width = position = 0
    for line in [*text.splitlines(keepends=True), ""]:
        first, position = position, position + len(line)
        cells = _cells(line)
        if cells and cells == width:
            rows, end = rows + 1, position
            continue
        if 1 < rows <= _MOST_ROWS:
            grids.append((start, end))
        start, end, rows, width = first, position, min(cells, 1), cells
    return grids


def _cells(line: str) -> int:
    if len(line) > _LONGEST_ROW:
        return 0
    bare = line.rstrip("\n")
    if _DIGITS.fullmatch(bare):
        return len(bare.strip())
    return len(_CELL.findall(bare)) if _ROW.fullmatch(bare) else 0


def _is_small(text: str, found: list[Extent]) -> bool:
    """Whether there are no more rows than a sheet is wide: twelve, or two to a column."""
    rows = [line for start, end in found for line in text[start:end].splitlines()]
    return len(rows) <= max(_FEW_ROWS, 2 * _cells(rows[0]))
