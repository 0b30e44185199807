"""Writing a course: lint, the notebook, and releases."""
