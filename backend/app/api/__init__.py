"""The HTTP edge: parse, call one service, return."""
