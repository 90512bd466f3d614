"""`make chaos`: the local platform under load while things go wrong on purpose; then an account of every message."""
