"""Known slips in train.py: none can be told by its numbers, since whoever trains draws numbers of their own.

What goes wrong there is told by the checks, from what the trained model draws.
"""
