"""A guest in a process of its own, without walls: for a student's own machine, whatever its system.

The other side of `sandbox/alone.py`: it calls back over the loopback, says its token, loads what a fork server would have
loaded, and serves. It makes the same world for student code as a guest behind walls finds: the same packages, the same
stand-ins, the same seeds.
"""

from __future__ import annotations

import os
import socket
import threading
import time

from autograder.inside import forkserver, guest

LOOK = 1.0  # seconds between two looks whether the keeper still lives


def main(port: int, token: str, warmth: str) -> None:
    """Call the keeper on this port and serve until it hangs up."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keeper = os.getppid()
    watch = threading.Thread(target=_watch, args=(keeper,), daemon=True)
    watch.start()
    connection.sendall(token.encode())
    forkserver.warm(warmth)
    forkserver.forget_the_course()
    guest.serve(guest.Room(guest.Wire(connection.recv, connection.send)), {})


def _watch(keeper: int) -> None:
    """End with the keeper: student code that never returns would outlive it. (Windows keeps telling the old parent.)"""
    while os.getppid() == keeper:
        time.sleep(LOOK)
    os._exit(0)
