"""All SQL, and the units of work it runs in."""
