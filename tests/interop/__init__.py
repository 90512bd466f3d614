"""SMPP clients that were not written here, as tests drive them: node-smpp from npm, Kannel from Debian."""
