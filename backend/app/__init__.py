"""The backend of VLLM Chat: chats and messages, durable runs, and the relay between vLLM and its readers."""
