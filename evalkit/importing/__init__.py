"""Test sets of other tools as suites: one file a format, all of them giving the same drafts."""
