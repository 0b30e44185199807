"""Running untrusted code: the trusted side of the wall. `guest/` is the untrusted side."""
