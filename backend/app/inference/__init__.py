"""The vLLM edge: bytes to pieces of text, and the engine's own figures."""
