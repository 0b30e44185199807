"""What is measured, and by which command; README.md shows it. No test depends on a speed."""
