"""`python -m acontext`: the command line."""

from .command.main import main

if __name__ == "__main__":
    main()
