"""`python -m smpp_bridge`."""

from smpp_bridge.main import main

if __name__ == "__main__":
    main()
