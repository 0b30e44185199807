"""What results count: which attempt, what a person decided in place of the grader, lateness, weights and the pass mark.

    counting.py    from an attempt to what it counts, and from these to the whole
    extensions.py  who has more time: OUT/extensions.csv
    people.py      whom a name, number, login or e-mail means
    deciding.py    points that a person gives for a check
    changes.py     what is not as it was from one run to another

Nothing here changes a result: what was graded stays as it is, and this stands beside it.
"""
