"""Submissions that attack the grader, and what must become of them."""
