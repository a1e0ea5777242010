"""Which version of the portal this is, and where its files are."""

from pathlib import Path

VERSION = "0.1.0"  # the same as in pyproject.toml
ROOT = Path(__file__).parent.parent
