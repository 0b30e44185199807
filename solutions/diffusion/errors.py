"""Why a command can end without a result. This module does not import torch, so errors appear quickly."""


class InvalidRequest(ValueError):
    """The request can't be met; the message is one line that lists the valid choices."""


class Interrupted(Exception):
    """Ctrl-C stopped a training run; the message says how to resume it."""
