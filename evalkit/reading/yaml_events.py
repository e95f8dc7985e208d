"""Plain data and its places, built from the parser's events.

PyYAML's own composer recurses in C for every nested bracket (200,000 of them end the process) and is three times
slower than this loop over events, which needs no recursion and stops at the first bound that is crossed.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml import events

from evalkit.reading.suggestions import shortened
from evalkit.reading.yaml_errors import Unparsable, explained
from evalkit.reading.yaml_parts import FieldPath, Flaw, Node
from evalkit.reading.yaml_scalars import Trap, bare_scalar, in_quotes

MAX_FILE_BYTES = 10_000_000
MAX_DEPTH = 50
MAX_ALIASES = 1_000
MAX_ALIASED_SIZE = 10_000_000
NODE_SIZE = 100
_TAG = "tag:yaml.org,2002:"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Frame:
    """A list or mapping that is still open; ``step`` is its place in the parent, ``key`` waits for its value."""

    __slots__ = ("anchor", "children", "data", "key", "key_line", "node", "size", "step")

    def __init__(self, data: Any, node: Node, step: str | int | None, anchor: str | None) -> None:
        self.data = data
        self.node = node
        self.children: dict[str | int, Node] = {}
        node.children = self.children
        self.step = step
        self.anchor = anchor
        self.key: str | None = None
        self.key_line = 0
        self.size = NODE_SIZE


def build(text: str) -> tuple[Any, Node, list[Flaw]]:
    """The single document of ``text``: its data, its places and its flaws.

    Raises:
        Unparsable: the text is no YAML, holds no or several documents, or crosses a bound.
    """
    try:
        return _Builder(text).build()
    except yaml.MarkedYAMLError as error:
        raise explained(error, text) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise Unparsable(1, f"not valid YAML ({error}).") from None


class _Builder:
    """One pass over the events of one text."""

    def __init__(self, text: str) -> None:
        self.parser = _Loader(text)
        self.frames: list[_Frame] = []
        self.flaws: list[Flaw] = []
        self.anchors: dict[str, tuple[Any, Node, int] | None] = {}
        self.aliases = 0
        self.aliased_size = 0
        self.meanings: dict[str, Any] = {}
        self.root: tuple[Any, Node] | None = None

    def build(self) -> tuple[Any, Node, list[Flaw]]:
        try:
            self._read_events()
        finally:
            self.parser.dispose()
        if self.root is None or (self.root[0] is None and not self.flaws):
            raise Unparsable(1, "the file is empty. Write its content, or delete it.")
        return (*self.root, self.flaws)

    def _read_events(self) -> None:
        get_event = self.parser.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is events.ScalarEvent:
                self._scalar(event)
            elif kind is events.MappingStartEvent:
                self._open({}, event)
            elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                self._close()
            elif kind is events.SequenceStartEvent:
                self._open([], event)
            elif kind is events.AliasEvent:
                self._alias(event)
            elif kind is events.DocumentStartEvent and self.root is not None:
                message = "a second document starts here (---); a file holds one. Move it to its own file."
                raise Unparsable(event.start_mark.line + 1, message)
            elif kind is events.StreamEndEvent:
                return

    def _scalar(self, event: Any) -> None:
        value: str = event.value
        line = event.start_mark.line + 1
        meaning: Any = value
        raw = None
        if event.implicit[0]:
            meaning = self.meanings.get(value, self)
            if meaning is self:
                meaning = self.meanings[value] = bare_scalar(value)
            if meaning is not value and meaning != value:
                raw = value
        frame = self.frames[-1] if self.frames else None
        if frame is not None and frame.key is None and type(frame.data) is dict:
            if event.tag is not None:
                self._refuse_tag(event)
            self._key(frame, value, meaning, line)
            return
        node = Node(line, raw)
        if event.tag is not None or type(meaning) is Trap:
            meaning = self._flawed_scalar(event, meaning)
        if event.anchor is not None:
            self.anchors[event.anchor] = (meaning, node, NODE_SIZE + len(value))
        self._put(meaning, node, NODE_SIZE + len(value))

    def _flawed_scalar(self, event: Any, meaning: Any) -> Any:
        if event.tag is not None:
            self._refuse_tag(event)
        if type(meaning) is Trap:
            self.flaws.append(Flaw(self._next_path(), event.start_mark.line + 1, meaning.message))
            return event.value
        return meaning

    def _key(self, frame: _Frame, value: str, meaning: Any, line: int) -> None:
        """Take a scalar as the key of the open mapping."""
        if meaning is not value and meaning != value:
            self.flaws.append(Flaw(self._path(), line, _wrong_key(value, meaning)))
        elif value in frame.children:
            first = frame.children[value].line
            message = f"the key {shortened(value)!r} is written twice; the first is at line {first}. Keep one."
            self.flaws.append(Flaw((*self._path(), value), line, message))
        frame.key = value
        frame.key_line = line

    def _put(self, value: Any, node: Node, size: int) -> None:
        """Node a finished scalar, alias or newly opened collection in its parent."""
        if not self.frames:
            self.root = (value, node)
            return
        frame = self.frames[-1]
        frame.size += size
        data = frame.data
        if type(data) is list:
            frame.children[len(data)] = node
            data.append(value)
            return
        key = frame.key
        assert key is not None
        node.line = frame.key_line
        if key not in data:
            data[key] = value
            frame.children[key] = node
        frame.key = None

    def _open(self, data: Any, event: Any) -> None:
        line = event.start_mark.line + 1
        if len(self.frames) >= MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep. Put text that starts with brackets in quotes."
            raise Unparsable(line, message)
        step: str | int | None = None
        if self.frames:
            parent = self.frames[-1]
            step = parent.key if type(parent.data) is dict else len(parent.data)
            if step is None:
                shown = "mapping" if type(data) is dict else "list"
                message = f"a {shown} cannot be a key. Put text that holds brackets or braces in quotes."
                raise Unparsable(line, message, self._path())
        if event.tag is not None:
            self._refuse_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = Node(line)
        self._put(data, node, 0)
        self.frames.append(_Frame(data, node, step, event.anchor))

    def _close(self) -> None:
        frame = self.frames.pop()
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.data, frame.node, frame.size)
        if self.frames:
            self.frames[-1].size += frame.size

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        found = self.anchors.get(event.anchor)
        name = shortened(event.anchor)
        if found is None:
            what = "is inside what it names" if event.anchor in self.anchors else f"has no anchor &{name} above it"
            message = f"the alias *{name} {what}. Put text that starts with * in quotes."
            raise Unparsable(line, message, self._next_path())
        value, node, size = found
        self.aliases += 1
        self.aliased_size += size
        if self.aliases > MAX_ALIASES or self.aliased_size > MAX_ALIASED_SIZE:
            message = f"the aliases (*{name}) repeat more than is read. Write the values out."
            raise Unparsable(line, message, self._next_path())
        frame = self.frames[-1] if self.frames else None
        if frame is not None and frame.key is None and type(frame.data) is dict:
            raise Unparsable(line, f"the alias *{name} cannot be a key. Write the key out.", self._path())
        here = Node(line, node.raw)
        here.children = node.children
        self._put(value, here, size)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag in (_TAG + "str", "!"):
            return
        shown = shortened(event.tag.replace(_TAG, "!!"))
        message = f"the YAML tag {shown} is refused: files are plain data. Remove it, or put the text in quotes."
        self.flaws.append(Flaw(self._next_path(), event.start_mark.line + 1, message))

    def _path(self) -> FieldPath:
        """The path of the innermost open collection."""
        return tuple(frame.step for frame in self.frames[1:] if frame.step is not None)

    def _next_path(self) -> FieldPath:
        """The path of the value that comes next."""
        if not self.frames:
            return ()
        frame = self.frames[-1]
        if type(frame.data) is list:
            return (*self._path(), len(frame.data))
        return self._path() if frame.key is None else (*self._path(), frame.key)


def _wrong_key(value: str, meaning: Any) -> str:
    """Why a bare scalar that does not mean its own text is no key."""
    if type(meaning) is Trap:
        return f"a key cannot stand here: {meaning.message}"
    if value == "" or meaning is None:
        return "expected a key before the colon, found nothing."
    bare, read_as = shortened(value), shortened(str(meaning).lower())
    how = "" if bare == read_as else f" (YAML reads a bare {bare} as {read_as})"
    return f"expected text as a key, found {read_as}{how}. {in_quotes(bare)}"
