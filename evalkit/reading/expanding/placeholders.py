"""Texts with placeholders such as ``{{ city }}``, checked once and filled in many times within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from evalkit.reading.expanding.lists import NamedList
from evalkit.reading.suggestions import did_you_mean, shortened

OPENING = "{{"
FILTERS = (
    "abs", "capitalize", "first", "float", "int", "last", "length", "lower", "reverse", "round", "string", "title",
    "trim", "upper", "wordcount",
)  # fmt: skip
"""Filters whose result is hardly longer than what goes in."""
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul,
    nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
_MAX_NUMBER = 10**100
_MAX_PLACES = 15
_TOO_LARGE = "a placeholder is too large. Make it simpler."
MAX_TEXT_CHARS = 1_000_000
"""The longest text that a placeholder may stand in."""


class WrongPlaceholder(Exception):
    """A placeholder cannot be filled in; the message says why and what to write."""


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja without statements, calls, globals, or anything that grows a text beyond what it is made of."""

    intercepted_binops = frozenset(("*", "%"))

    def __init__(self) -> None:
        # No control character can be in a YAML file, so that {% and {# are plain text in a prompt.
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, block_start_string="\0\1", block_end_string="\1\0",
            comment_start_string="\0\2", comment_end_string="\2\0", autoescape=False,
        )  # fmt: skip
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in FILTERS}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Numbers only: a text times a number can fill the memory, and so can ``%`` with a width."""
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            raise SecurityError(f"{operator} takes numbers alone")
        if max(abs(left), abs(right)) > _MAX_NUMBER:
            raise SecurityError("the numbers are too large")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A mapping's own key, never a method of Python's."""
        return self.getitem(obj, attribute)


_environment = _Environment()


class Texts:
    """Texts whose placeholders ``used_names`` found right, filled in together because one rendering is cheaper.

    Raises:
        WrongPlaceholder: they are too large to be compiled.
    """

    def __init__(self, texts: Sequence[str], lists: Sequence[NamedList]) -> None:
        self._texts = texts
        self._mark = "\0\3"
        while any(self._mark in text for text in (*texts, *_words_of(lists))):
            self._mark += "\3"
        try:
            self._template = _environment.from_string(self._mark.join(texts))
        except (RecursionError, MemoryError, SyntaxError):
            raise WrongPlaceholder(_TOO_LARGE) from None

    def filled(self, values: Mapping[str, Any]) -> list[str]:
        """The texts with ``values`` by list name in place of the placeholders.

        Raises:
            WrongPlaceholder: an expression cannot be worked out, such as a division by zero.
        """
        try:
            filled = self._template.render(values).split(self._mark)
        except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
            raise WrongPlaceholder(f"a placeholder cannot be worked out: {error}. Correct it.") from None
        if len(filled) != len(self._texts):
            raise WrongPlaceholder("a placeholder holds control characters. Remove them.")
        return filled


def used_names(text: str, lists: Sequence[NamedList]) -> Iterator[str]:
    """The lists that the placeholders of a text name.

    Raises:
        WrongPlaceholder: a placeholder is no expression, names no list, or holds what is not allowed.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise WrongPlaceholder(
            f"found a text of {len(text):,} characters; placeholders are filled into at most {MAX_TEXT_CHARS:,}."
        )
    try:
        tree = _environment.parse(text)
    except TemplateSyntaxError as error:
        problem = str(error.message).rstrip(".")
        raise WrongPlaceholder(f"the placeholder is wrong: {problem}. Write {{{{ {lists[0].name} }}}}.") from None
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        raise WrongPlaceholder(_TOO_LARGE) from None
    yield from _names(tree, {one.name: one for one in lists})


def _names(tree: nodes.Node, lists: Mapping[str, NamedList]) -> Iterator[str]:
    """Walks without recursion; a list of mappings is always taken apart by a field."""
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        _refuse_unknown(node)
        if isinstance(node, (nodes.Getattr, nodes.Getitem)):
            yield _checked_field(node, lists)
        elif isinstance(node, nodes.Name):
            yield _checked_name(node.name, lists)
            fields = lists[node.name].fields
            if fields is not None:
                raise WrongPlaceholder(
                    f"the values of {node.name!r} are mappings. Write {{{{ {node.name}.{fields[0]} }}}}."
                )
        else:
            waiting += node.iter_child_nodes()


def _refuse_unknown(node: nodes.Node) -> None:
    if not isinstance(node, _ALLOWED):
        kind = type(node).__name__
        found = {"Call": "a call", "Pow": "a power", "Slice": "a slice"}.get(kind, f"what Jinja calls {kind!r}")
        raise WrongPlaceholder(
            f"a placeholder cannot hold {found}. Write a list's name, a field of its values, arithmetic, comparisons, "
            f"or one of the filters {', '.join(FILTERS)}."
        )
    if isinstance(node, nodes.Filter):
        _check_filter(node)


def _check_filter(node: nodes.Filter) -> None:
    """Only ``round`` takes a setting: others could make a short text long, or work for hours."""
    if node.name not in FILTERS:
        raise WrongPlaceholder(f"unknown filter {shortened(node.name)!r}. {did_you_mean(node.name, FILTERS)}")
    if not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs):
        return
    places = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    is_round = node.name == "round" and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    if not (is_round and len(node.args) == 1 and places in [[number] for number in range(_MAX_PLACES + 1)]):
        raise WrongPlaceholder(
            f"the filter {node.name!r} takes no settings here; only round takes one, from 0 to {_MAX_PLACES}."
        )


def _checked_name(name: str, lists: Mapping[str, NamedList]) -> str:
    if name not in lists:
        raise WrongPlaceholder(f"there is no list {shortened(name)!r} under expand. {did_you_mean(name, lists)}")
    return name


def _checked_field(node: nodes.Getattr | nodes.Getitem, lists: Mapping[str, NamedList]) -> str:
    """``item.q`` or ``item["q"]``; nothing else has fields."""
    if isinstance(node, nodes.Getattr):
        field: Any = node.attr
    else:
        field = node.arg.value if isinstance(node.arg, nodes.Const) else None
    if not isinstance(field, str) or not isinstance(node.node, nodes.Name):
        raise WrongPlaceholder("only a list has fields. Write {{ list.field }}.")
    name = _checked_name(node.node.name, lists)
    fields = lists[name].fields
    if fields is None:
        raise WrongPlaceholder(f"the values of {name!r} are no mappings and have no fields. Write {{{{ {name} }}}}.")
    if field not in fields:
        raise WrongPlaceholder(
            f"the values of {name!r} have no field {shortened(field)!r}. {did_you_mean(field, fields)}"
        )
    return name


def _words_of(lists: Sequence[NamedList]) -> Iterator[str]:
    """Every text among the values."""
    for one in lists:
        for value in one.values:
            yield from (str(part) for part in (value.values() if isinstance(value, dict) else (value,)))
