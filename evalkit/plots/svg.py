"""matplotlib's SVG made fit for a page: themable, small, deterministic, with the words that were left out of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from evalkit.plots.palette import LIGHT

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d+")
_BLANKS = re.compile(r"\s+")
_NAMES = {value: name for name, value in LIGHT.items()}
_PAINTS = {"fill": "f", "stroke": "k"}
_KEPT = ("stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "opacity", "fill-opacity",
         "stroke-opacity", "text-anchor", "font-size", "font-weight", "font-style")  # fmt: skip
_FAMILY = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


def page_svg(
    raw: str, words: Mapping[str, str], *, name: str, kind: str, title: str, description: str, size: tuple[int, int]
) -> str:
    """An inline ``<svg>`` whose ids begin with ``name``; ``words`` stand for the placeholders drawn.

    Colours are classes (``f-s1`` fills, ``k-s1`` strokes) with the light theme's values for where no style sheet is.
    """
    drawn = ET.fromstring(raw)
    width, height = size
    root = ET.Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "class": f"plot plot-{kind}", "viewBox": f"0 0 {width} {height}",
        "width": str(width), "height": str(height), "role": "img", "aria-labelledby": f"{name}-title {name}-desc",
        "font-family": _FAMILY, "stroke-linejoin": "round",
    })  # fmt: skip
    ET.SubElement(root, "title", {"id": f"{name}-title"}).text = title
    ET.SubElement(root, "desc", {"id": f"{name}-desc"}).text = description
    ids: dict[str, str] = {}
    for node in drawn:
        _add(root, node, words, ids, name)
    return ET.tostring(root, encoding="unicode")


def _add(parent: ET.Element, node: ET.Element, words: Mapping[str, str], ids: dict[str, str], name: str) -> None:
    """The node and what is in it, without groups that hold nothing and shapes that show nothing."""
    tag = node.tag.removeprefix(_SVG)
    if tag in ("metadata", "style"):
        return
    if tag == "g" or (tag == "defs" and not any(child.get("id") for child in node)):
        for child in node:
            _add(parent, child, words, ids, name)
        return
    if tag == "defs":
        _add_shapes(ET.SubElement(parent, "defs"), node, ids, name)
        return
    attributes = _attributes(node, ids, name)
    if tag == "path" and attributes.get("fill") == "none" and "stroke" not in attributes:
        return
    made = ET.SubElement(parent, tag, attributes)
    if tag == "text":
        made.text = words[node.text or ""]


def _add_shapes(parent: ET.Element, node: ET.Element, ids: dict[str, str], name: str) -> None:
    """Markers without any paint: they take that of the ``<use>``, to which a page's style sheet reaches."""
    for shape in node:
        found = _attributes(shape, ids, name)
        ET.SubElement(parent, "path", {"id": found["id"], "d": found["d"]})


def _attributes(node: ET.Element, ids: dict[str, str], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in node.attrib.items():
        if key == "id":
            found["id"] = ids.setdefault(value, f"{name}-m{len(ids)}")
        elif key == _HREF:
            found["href"] = f"#{ids[value.removeprefix('#')]}"
        elif key in ("d", "x", "y"):
            found[key] = _BLANKS.sub(" ", _NUMBER.sub(_short, value)).strip()
        elif key == "transform" and not value.startswith("rotate(-0 "):
            found[key] = _NUMBER.sub(_short, value)
    style = dict(part.split(": ", 1) for part in node.get("style", "").split("; ") if ": " in part)
    classes = []
    for paint, letter in _PAINTS.items():
        colour = style.get(paint, "")
        if colour:
            found[paint] = colour
        if colour in _NAMES:
            classes.append(f"{letter}-{_NAMES[colour]}")
    if node.tag == f"{_SVG}text" and "fill" not in style:
        found["fill"] = LIGHT["ink"]
        classes.append("f-ink")
    found |= {key: style[key].removesuffix("px") for key in _KEPT if key in style}
    if classes:
        found["class"] = " ".join(classes)
    return found


def _short(found: re.Match[str]) -> str:
    """Two decimals, no zeros after them, no negative zero."""
    return f"{round(float(found.group()), 2) + 0.0:.2f}".rstrip("0").rstrip(".")
