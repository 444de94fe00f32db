"""`python -m benchmarks`: the command `churnsim bench`; with `scaling`, the curves."""

import sys

from churnsim.cli import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["scaling"]:
        from benchmarks import scaling

        scaling.main(sys.argv[2:])
    else:
        main(["bench", *sys.argv[1:]])
