"""A line for each message as it moves, read from the API as a customer would."""
