"""Hostile text made harmless for the place it is shown in; model output, names and reasons all go through here."""

from __future__ import annotations

import html
import re
import unicodedata

MAX_CELL_UNITS = 32_767
"""The longest cell a spreadsheet keeps, in UTF-16 units (Excel specifications and limits)."""

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    # Only where they are closed, and never over another's beginning: one that is not must not hide what follows.
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x90\x98\x9b-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC: titles, links
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9b-\x9f]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]+[0-~]"  # character sets
)
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
# What reorders text, and what smuggles words past a reader: annotations and tags.
_MISLEADING = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# A formula's first character, wide and small forms too, after what a spreadsheet or a person cleaning it may skip.
_FORMULA = re.compile(
    r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff\"'`\u2018-\u201f\u00ab\u00bb\uff02\uff07]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
)
# What build servers obey in a log, wherever our own line breaks may put it: GitHub's commands begin a line, Azure's,
# TeamCity's and GitHub's older ones stand anywhere (actions/runner, ActionCommand.cs).
_LOG_COMMAND = re.compile(
    r"#(?=#[\w.]*\[)|:(?=:(?:error|warning|notice|debug|group|endgroup|add-mask|add-matcher|remove-matcher|set-output|"
    r"save-state|set-env|add-path|stop-commands|echo|internal-set-repo-path)(?: |::))",
    re.IGNORECASE,
)
_MARKDOWN_SPECIAL = re.compile(r"[\\`*_\[\]|~$]")
_MARKDOWN_BLOCK_START = re.compile(r"^(\d+(?=[.)])|(?=[#+\-=]))")


def utf8_safe(text: str) -> str:
    """The text with each lone surrogate replaced, so that it can be encoded."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def for_terminal(text: str) -> str:
    """One line without escape sequences, control, bidi or invisible characters; line ends are shown as ⏎.

    What a build server would take for a command gets a blank: ``# #[error]``, ``: :error::``.
    """
    plain = _LINE_END.sub("⏎", _ESCAPE_SEQUENCE.sub("", text).replace("\t", " "))
    return _LOG_COMMAND.sub(r"\g<0> ", "".join(_visible(character) for character in plain))


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with how long it is in all."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _visible(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else ""
    category = unicodedata.category(character)
    if category in ("Cc", "Cf") or "\ufe00" <= character <= "\ufe0f":  # variation selectors change a width
        return ""
    return "\ufffd" if category in ("Cs", "Co", "Cn") else character


def for_markdown(text: str) -> str:
    """One line of GitHub markdown that renders as the text: no markup, HTML, links, mentions or issue numbers."""
    plain = _MARKDOWN_SPECIAL.sub(r"\\\g<0>", for_terminal(text).strip())
    plain = _MARKDOWN_BLOCK_START.sub(r"\1\\", plain)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An empty comment keeps GitHub from seeing a mention or an issue number, and shows nothing.
    plain = re.sub(r"[@#](?=\w)", r"\g<0><!-- -->", plain)
    return plain.replace("://", "&#58;//").replace("www.", "www&#46;")


def for_summary(text: str) -> str:
    """The same inside an HTML element of GitHub markdown, where backslashes escape nothing."""
    plain = html.escape(for_terminal(text).strip(), quote=False)
    return re.sub(r"[@#](?=\w)", r"\g<0><!-- -->", plain)


def for_csv(text: str, where: str = "results.jsonl") -> str:
    """A spreadsheet cell: no formula, no control characters, line ends as LF, at most 32,767 UTF-16 units.

    Bidi controls and tags are shown by name. A text that was cut ends with a mark that says so, and ``where`` the whole
    is.
    """
    if text.isascii() and text.isprintable() and len(text) <= MAX_CELL_UNITS and not _FORMULA.match(text):
        return text  # as most are: nothing of what follows finds anything in one line of plain ASCII
    plain = _CONTROL.sub("", _LINE_END.sub("\n", utf8_safe(text)).replace("\t", " "))
    plain = _MISLEADING.sub(lambda found: f"[U+{ord(found.group()):04X}]", plain)
    return _fitted(f"'{plain}" if _FORMULA.match(plain) else plain, where)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitted(cell: str, where: str) -> str:
    units = _units(cell)
    if units <= MAX_CELL_UNITS:
        return cell
    mark = f"\n[cut here: {len(cell)} characters in all; the whole text is in {where}]"
    room = 2 * (MAX_CELL_UNITS - _units(mark))
    return cell.encode("utf-16-le")[:room].decode("utf-16-le", errors="ignore") + mark
