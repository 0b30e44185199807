"""The course's exercises as one Jupyter notebook in nbgrader's format, whose locked cells replay the public checks.

`player` is what runs inside the notebook; `cells` builds it.
"""
