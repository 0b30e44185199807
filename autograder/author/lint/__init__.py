"""The rules that a course is held to."""
