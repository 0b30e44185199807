"""The untrusted side of the wall: imports nothing from the rest of the engine."""
