"""What the YAML parser's complaints mean for the person who wrote the file."""

from __future__ import annotations

import yaml

from evalkit.reading.suggestions import shortened

_MEANINGS = {
    "mapping values are not allowed": "found a second ': ' on one line. Put text that holds ': ' in quotes.",
    "found unexpected end of stream": "a quote opened here is never closed. Close it.",
    "found unknown escape character": "found a backslash that means nothing in double quotes. Use single quotes.",
    "found invalid Unicode character escape code": "found an escape that is no character. Write the character itself.",
    "did not find expected alphabetic or numeric": "found * or & in front of bare text. Put the text in quotes.",
    "found undefined tag handle": "found text that starts with '!'. Put it in quotes.",
    "found incompatible YAML document": "found a %YAML line of another version. Remove it.",
}


class Unparsable(Exception):
    """The text cannot be read as one YAML document; ``line`` is 1-based."""

    def __init__(self, line: int, message: str, path: tuple[str | int, ...] | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.path = path


def explained(error: yaml.MarkedYAMLError, text: str) -> Unparsable:
    """The parser's complaint as a line, what is wrong there, and what to write instead."""
    problem = error.problem or str(error)
    mark = error.problem_mark or error.context_mark
    index = 0 if mark is None else mark.line
    lines = text.splitlines()
    found = lines[index] if index < len(lines) else ""
    if "\t" in found[: len(found) - len(found.lstrip())] or found.lstrip(" -").startswith("\t"):
        return Unparsable(index + 1, "found a tab used for indentation. Indent with spaces.")
    for complaint, meaning in _MEANINGS.items():
        if complaint in problem:
            opened = error.context_mark if "never closed" in meaning else None
            return Unparsable((index if opened is None else opened.line) + 1, meaning)
    if "cannot start any token" in problem and mark is not None:
        return Unparsable(
            index + 1, f"found {shortened(found[mark.column :])!r}: bare text cannot start so. Put it in quotes."
        )
    if "did not find expected ',' or" in problem and error.context_mark is not None:
        bracket = "]" if "]" in problem else "}"
        message = f"expected ',' or {bracket!r}; the bracket opened here is not closed before line {index + 1}."
        return Unparsable(error.context_mark.line + 1, message)
    shown = shortened(found.strip())
    return Unparsable(index + 1, f"not valid YAML: {problem}; found {shown!r}. Check indentation and quotes.")
