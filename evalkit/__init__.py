"""evalkit: pytest for model behaviour."""

__version__ = "0.1.0"
