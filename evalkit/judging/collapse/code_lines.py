"""Finds lines of code that stand in an answer without a fence around them."""

from __future__ import annotations

import re

from evalkit.judging.masking import Extent

_COMMANDS = (
    "sudo git docker kubectl helm pip pip3 npm npx yarn pnpm apt apt-get apk brew curl wget mkdir rmdir chmod chown "
    "chgrp cd cp mv rm ln tar ssh scp rsync systemctl journalctl psql mysql useradd usermod adduser ufw iptables"
)
_DOUBTFUL = "make go touch echo node export set find cat grep sed awk kill python python3 cargo java source mount"
_LINE = re.compile(
    r"\s*(?:"
    r"assert\b.*(?:[(=<>]|\b(?:is|in|not)\b)"
    r"|(?:return|yield|raise|await|throw|delete|new)\b[^.?!]*[()\[\]=;]"
    r"|(?:def|class|func|fn|function|public|private|static|void|struct|enum)\b[^.?!]*[({:]\s*\w*\)?.*[:{;)]?$"
    r"|(?:from\s+[\w.]+\s+import\b|import\s+[\w.{}, *\"']+;?$|\#include\b|using\s+[\w.:]+;|package\s+[\w.]+;?$)"
    r"|(?:const|let|var|int|float|double|char|bool|auto|string)\s+\w+.*[=;]"
    r"|(?:else|try|finally|do)\s*[:{]$|for\s+\w+(?:,\s?\w+)*\s+in\s+\S[^,]*:$"
    r"|\}?\s*(?:if|elif|else|for|while|switch|except|catch|with)\b.*(?:[(=<>\[].*:|\{)$"
    r"|(?:insert\s+into|delete\s+from|alter\s+table|drop\s+table|create\s+(?:table|index|view|user)|truncate\s+table)\s"
    r"|(?:select\b.*\bfrom\s+\w+|update\s+\w+\s+set)\b.*(?:[=;*(]|$)"
    rf"|(?:\$\s+|%\s+)?(?:{'|'.join(_COMMANDS.split())})\s+[\w./~$\"'-]+(?!.*[^\W\d_] [^\W\d_]+ [^\W\d_]+[.!?]$)"
    rf"|(?:{'|'.join(_DOUBTFUL.split())})\s(?:[^.?!]|[.?!](?=\S))*(?:\s--?\w|/|=|&&|\||>|\w\.\w{{1,4}}$)"
    r"|(?:>>>|\.\.\.|\$|PS>|C:\\\S*>|In \[\d+\]:|Out\[\d+\]:)\s"
    r"|[\w.$\[\]\"'*&]+(?:\([^\n]*\)|->[\w(]|\.\w+\()[^\n]*[;,)\]}]\s*(?:(?:\#|//).*)?$"
    r"|[\w.$*&]+\([^\n]*\)(?:\.[\w.]+\([^\n]*\)?)*\s*[;,]?\s*(?:(?:\#|//|==|->|=>).*)?$"
    r"|[\w.$*&]+(?:\[[^\]\n]*\])*\s*(?:[+*/|&^%-]|:|<<|>>|\?\?)?=(?!=)\s*\S.*$"
    r"|[{}()\[\];,]+\s*$"
    r"|.*[(=\[{].*[)\]}\w\"'];\s*$|.*[)=]\s*\{\s*$|.*\{.*[();=].*\};?\s*$"
    r")",
    re.IGNORECASE,
)
_SIGN = re.compile(r"[(=;{]|->")
_OPENING = re.compile(
    r"[>.$%#{}()\[\];,]|(?:assert|return|yield|raise|await|throw|delete|new|def|class|func|fn|function|public|private|"
    r"static|void|struct|enum|from|import|using|package|const|let|var|int|float|double|char|bool|auto|string|else|try|"
    r"finally|do|for|if|elif|while|switch|except|catch|with|insert|alter|drop|create|truncate|select|update|"
    rf"{'|'.join(_COMMANDS.split())}|{'|'.join(_DOUBTFUL.split())}|In|Out|PS|C)\b",
    re.IGNORECASE,
)
"""No line is code that neither begins so nor holds one of the signs."""
_LEAST = 3
_WORDS = re.compile(r"(?:^|\s)[^\W\d_]+(?=[\s,.]|$)")
_MOST_WORDS = 9
_LONGEST = 400


def is_code(line: str) -> bool:
    """Whether a line is a statement, a command or a query, and no sentence."""
    bare = line.lstrip()
    if len(line) > _LONGEST or (_SIGN.search(bare) is None and _OPENING.match(bare) is None):
        return False
    return len(_WORDS.findall(line)) <= _MOST_WORDS and _LINE.match(bare) is not None


def code_line_extents(text: str) -> list[Extent]:
    """Three lines of code or more in a row; blank lines and a line among them that is none belong to them."""
    lines = text.splitlines(keepends=True)
    if len(lines) < _LEAST:
        return []
    runs: list[Extent] = []
    start = end = number = others = position = 0
    for line in lines:
        first, position = position, position + len(line)
        if is_code(line):
            if number == 0:
                start = first
            number, others, end = number + 1, 0, position
        elif line.strip() and number:
            others += 1
        if number and (others > 1 or (others and len(_WORDS.findall(line)) > _MOST_WORDS)):
            if number >= _LEAST:
                runs.append((start, end))
            number = others = 0
    return [*runs, (start, end)] if number >= _LEAST else runs
