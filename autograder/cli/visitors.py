"""Commands for who uses a browser: `course serve`, `course site`."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
