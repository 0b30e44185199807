"""The course as data: its files read and checked, and the stores that keep what people did."""
