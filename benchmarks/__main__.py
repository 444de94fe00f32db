"""`python -m benchmarks`: the command `churnsim bench`; also `scaling` and `guard`."""

import sys

from churnsim.cli import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["scaling"]:
        from benchmarks import scaling

        scaling.main(sys.argv[2:])
    elif sys.argv[1:2] == ["guard"]:
        from benchmarks import guard

        guard.main(sys.argv[2:])
    else:
        main(["bench", *sys.argv[1:]])
