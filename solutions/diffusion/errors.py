"""Two ways in which a command ends without what was asked for. No torch here: refusing is quick."""


class InvalidRequest(ValueError):
    """What is asked for can't be done; the message is one line that names what is known."""


class Interrupted(Exception):
    """A training was stopped by Ctrl-C; the message says how to go on."""
