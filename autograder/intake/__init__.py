"""Where submissions come from, told apart by their names, and never followed further than one archive.

source.py      start here: opens a class, asks each kind whether it is its own, joins the roster
folder.py canvas.py moodle.py nbgrader.py classroom.py zips.py
               one file for each kind: `claims(tree, lesson)` and `students(tree, lesson)`
trees.py       files below a root, on the disk
archives.py    files below a root, within a zip; nothing is ever extracted
hand_ins.py    what a student handed in, and the submissions that come of it
roster.py      who is in the class, and which hand-ins are theirs
"""
