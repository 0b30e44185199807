"""Courses with planted slips: one tiny good course, and the edits that break it."""
