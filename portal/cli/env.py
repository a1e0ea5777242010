"""`portal env`: every setting with its meaning and default, as a file of the environment to begin with."""

import textwrap

import click

import config
from portal import cli

HEADING = """\
# Every setting of the portal, made by `portal env` from config.py. Uncomment what you change.
# A secret NAME may be a file instead, of mode 600: NAME_FILE=/path.
"""
WIDTH = 98


@click.command()
@cli.json_option
def env(as_json: bool) -> None:
    """Print an example of the environment: every setting with its meaning and default, commented out."""
    fields = config.Settings.model_fields
    settings = {name: {"default": str(field.default), "meaning": field.description, "secret": name in config.SECRETS}
                for name, field in fields.items()}  # fmt: skip
    cli.tell(as_json, [HEADING, *(_paragraph(name) for name in fields if not name.startswith("PORTAL_REHEARSAL"))], settings=settings)


def _paragraph(name: str) -> str:
    field = config.Settings.model_fields[name]
    meaning = textwrap.fill(str(field.description), WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return f"{meaning}\n#{name}={field.default}\n"
