"""Results as files for other tools.

table.py       what `course grade` writes: results.jsonl, grades.csv; and what makes a cell harmless
sheet.py       what every export is given: exercises, students, what their results count
formats.py     the exports by name; each is a file of this room with `WHAT` and `write(sheet, path)`
spreadsheet.py canvas.py moodle.py nbgrader.py gradescope_class.py
"""
