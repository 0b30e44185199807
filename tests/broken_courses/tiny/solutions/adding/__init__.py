"""The reference implementation of adding."""
