"""Commands for who has graded: what is done with results."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
