"""Flashcards: what was answered (`log`), when a card comes back (`schedule`), and what comes next (`deck`).

The log is the truth. Schedules are computed from it by `fsrs`, so the same log always gives the same schedule, on every device.
"""
