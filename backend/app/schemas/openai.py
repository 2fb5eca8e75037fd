"""Which fields of OpenAI's requests the gateway knows, and what becomes of them.

What the values mean is the engine's business.
"""

# Passed on to the engine as they are.
PASSED_FIELDS = frozenset(
    {
        "model", "messages", "prompt", "suffix", "stream", "stream_options", "max_tokens", "max_completion_tokens",
        "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
        "seed", "stop", "n", "best_of", "logit_bias", "logprobs", "top_logprobs", "response_format", "tools", "tool_choice",
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
MAX_VALUES = {"n": 8, "best_of": 8, "top_logprobs": 20, "logprobs": 20}
MAX_BIASES = 300
MAX_FIELD_CHARS = 64
TEMPLATE_SWITCHES = frozenset({"enable_thinking", "thinking"})
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})  # vLLM itself takes any word
