"""A class: from uploaded submissions to grades, reports, exports and feedback."""
