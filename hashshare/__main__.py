"""`python -m hashshare`, the same as the `hashshare` command."""

from hashshare.client.cli.app import main

if __name__ == "__main__":
    main()
