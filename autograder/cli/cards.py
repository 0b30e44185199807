"""Commands for who reviews: `course review` and what belongs to it."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
