"""What is measured, and by which command; `python -m bench` prints it. Nothing here is asserted by a test."""
