"""Use cases. No framework, no SQL, no I/O library."""
