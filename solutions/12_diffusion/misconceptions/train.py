"""No misconceptions about train.py: training draws random numbers, so its results don't identify one.

Instead, the checks say what went wrong by looking at the images that the trained model draws.
"""
