"""Courses with planted faults: one tiny good course, and the edits that break it."""
