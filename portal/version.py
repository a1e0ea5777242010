"""Which version of the portal this is, and where its files are."""

from pathlib import Path

VERSION = "0.1.0"
PACKAGE = Path(__file__).parent
INSTALLED = (PACKAGE / "templates").is_dir()  # from a wheel, where config, worker, templates and static stand below the package
ROOT = PACKAGE if INSTALLED else PACKAGE.parent
