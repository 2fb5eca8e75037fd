"""Which fields of OpenAI's requests the gateway knows, and what becomes of them."""

# Passed on to the engine as they are.
PASSED_FIELDS = frozenset(
    {
        "model", "messages", "prompt", "suffix", "stream", "stream_options", "max_tokens", "max_completion_tokens",
        "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
        "seed", "stop", "n", "logprobs", "top_logprobs", "response_format", "tools", "tool_choice",
        "parallel_tool_calls", "reasoning_effort", "chat_template_kwargs", "echo", "return_token_ids",
    }
)  # fmt: skip
# What OpenAI's clients send for OpenAI's own service: taken, and left out.
LEFT_OUT_FIELDS = frozenset(
    {
        "user", "metadata", "store", "service_tier", "prompt_cache_key", "prompt_cache_retention",
        "safety_identifier", "verbosity", "modalities", "prediction",
    }
)  # fmt: skip
MAX_CHOICES = 8
TEMPLATE_SWITCHES = frozenset({"enable_thinking", "thinking"})
