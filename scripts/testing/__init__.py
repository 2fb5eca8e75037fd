"""What the test command counts with. It does not test anything."""
