"""Turns one GGUF file of a Llama-shaped model into a folder that vLLM serves.

It does not download anything: the shell side hands it a file. Run by the engine's interpreter.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, GgufConfig
from transformers.utils import logging


def convert(source: Path, folder: Path, temperature: float, top_p: float) -> None:
    """Writes config, bfloat16 weights, tokenizer and chat template of `source` to `folder`, all or nothing."""
    logging.disable_progress_bar()
    quantized = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    config = quantized.config
    # A model that remembers how it was packed would be asked for packed weights when it is loaded again.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = type(quantized)(config).to(torch.bfloat16)
    model.load_state_dict(quantized.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)

    # GGUF carries no advice on sampling, and a small model at temperature 1 talks nonsense.
    ends = tokenizer.eos_token_id
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=temperature, top_p=top_p, eos_token_id=ends, pad_token_id=ends
    )
    partial = folder.with_name(f".{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    partial.rename(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="GGUF file to model folder")
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--temperature", type=float, default=0.2, help="what the model's makers advise")
    parser.add_argument("--top-p", type=float, default=0.9)
    options = parser.parse_args()
    convert(options.source, options.folder, options.temperature, options.top_p)
