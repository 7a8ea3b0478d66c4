"""Messages to people: written with the change, sent afterwards."""
