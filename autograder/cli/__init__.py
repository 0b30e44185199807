"""The command line: the only room that prints or exits. A file for each group of commands; `main` puts them together."""
