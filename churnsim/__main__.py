"""`python -m churnsim` is the command `churnsim`, also where that is on no path."""

from churnsim.cli import main

if __name__ == "__main__":
    main()
