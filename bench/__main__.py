"""`python -m bench`: see `throughput`."""

from bench.throughput import main

if __name__ == "__main__":
    main()
