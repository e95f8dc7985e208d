"""``python -m evalkit``: the command, where its script is not on the PATH."""

from evalkit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
