"""A run as one HTML page for people."""

from __future__ import annotations

from evalkit.report_page.page import report_html

__all__ = ["report_html"]
