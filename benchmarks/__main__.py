"""`python -m benchmarks`: the command `churnsim bench`."""

import sys

from churnsim.cli import main

if __name__ == "__main__":
    main(["bench", *sys.argv[1:]])
