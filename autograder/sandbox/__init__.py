"""The trusted side of the wall: start the fork server, open a guest, send calls, time them, kill it.

    this process --control socket--> fork server --fork--> guest
    this process <--wire: calls, callbacks, values--> guest        (limits before decoding, deadline on every call)
    this process <--pipe: what the guest prints-- guest            (the first 64 KiB are kept, the rest is read and dropped)

A guest holds the student's code and the arguments of calls already made, never an answer. What comes back is a value or a
reason why there is none; whether the value is right is decided elsewhere. CPU time decides when a call has run too long:
ten times as much waiting for it is the backstop. The guest is killed by its parent, the fork server, so no process id is ever
used after its process is gone. Trouble of ours raises `SandboxFault`; trouble of the guest's is an `Outcome`.
"""

from autograder.sandbox.alone import Alone
from autograder.sandbox.deadline import WALL_FACTOR
from autograder.sandbox.guests import Guest, Handle
from autograder.sandbox.reach import free_user, readable_paths
from autograder.sandbox.servers import Sandbox, Server, missing_walls

__all__ = ["WALL_FACTOR", "Alone", "Guest", "Handle", "Sandbox", "Server", "free_user", "missing_walls", "readable_paths"]
