"""Links from a figure to the trials behind it: the page's own address with the filters that leave them."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from evalkit.report_page.embedding import attribute


def trials_link(inner: str, **chosen: str | None) -> str:
    """The markup as a link to the trials that every facet named leaves; None leaves a facet out."""
    wanted = [(facet, value) for facet, value in chosen.items() if value is not None]
    address = urlencode(wanted, quote_via=quote, errors="replace")
    return f'<a class="to-trials" href="#{attribute(address)}">{inner}</a>'
