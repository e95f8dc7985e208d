"""A finished run as files: what is written at its end, and what ``evalkit report`` makes of it later."""
