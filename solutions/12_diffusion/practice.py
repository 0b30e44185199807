"""Answers to the practice questions that are no exercise's function: plain arithmetic on floats."""
