"""Commands for who learns: the workspace, from start to submission."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
