"""The pages: served on this machine or exported as static files."""
