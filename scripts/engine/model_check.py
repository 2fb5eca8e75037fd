"""Says whether a model folder can be served on this machine: a table of checks with what to do for each failure.

It changes nothing. Standard library only: it must work where nothing is installed. The exit code is the number of failures.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MEMORY_BESIDE_WEIGHTS_GIB = 3.0  # vLLM itself, and the smallest key-value cache
ENGINE_DISK_GIB = {"cpu": 4, "gpu": 12}
NAME_WIDTH = 22
POINTER_BYTES = 1024  # git-lfs leaves some 130 bytes where the weights should be
CPU_GPTQ_BITS = 4  # the only ones vLLM has CPU code for


@dataclass(frozen=True)
class Result:
    """One line of the table. `fix` is empty when nothing is to be done."""

    name: str
    good: bool
    found: str
    fix: str = ""


class ModelCheck:
    """The checks, in the order in which a start would meet them."""

    def __init__(self, folder: Path, device: str, engine: Path, package: str) -> None:
        self.folder = folder
        self.device = device
        self.engine = engine
        self.package = package
        self.config: dict[str, object] = {}

    def results(self) -> Iterator[Result]:
        """Every check; those of the files stop at a missing folder."""
        yield self.python()
        yield self.vllm()
        if not self.folder.is_dir():
            found = f"{self.folder} is not there"
            yield Result("Model folder", good=False, found=found, fix=self._other_model())
            return
        yield Result("Model folder", good=True, found=str(self.folder))
        checks: tuple[Callable[[], Result], ...] = (
            self.configuration,
            self.weights,
            self.tokenizer,
            self.chat_template,
            self.packing,
            self.memory,
        )
        for check in checks:
            yield check()

    def _other_model(self) -> str:
        if self.folder.name.startswith("Qwen"):
            return f"put the model there, or start without it: ./scripts/start_all.sh asks the model hub for {self.folder.name}"
        home = self.folder.parent
        names = ", ".join(sorted(file.parent.name for file in home.glob("*/config.json"))) or "none"
        return f"give a folder, or a name under {home} (there are: {names})"

    def python(self) -> Result:
        """3.11 or newer."""
        version = ".".join(map(str, sys.version_info[:3]))
        good = sys.version_info >= (3, 11)
        return Result(
            "Python",
            good,
            f"{version} ({sys.executable})",
            "" if good else "install Python 3.11 or newer: apt-get install python3 python3-venv",
        )

    def vllm(self) -> Result:
        """Installed, and able to be imported; where it is not, whether it could be installed."""
        python = self.engine / "bin" / "python"
        if not (self.engine / ".ready").exists():
            home = self.engine.parent
            while not home.exists():
                home = home.parent
            free = shutil.disk_usage(home).free / 2**30
            need = ENGINE_DISK_GIB[self.device]
            room = "" if free > need else f"; but only {free:.1f} GB are free there and {need} are needed"
            fix = f"./scripts/start_vllm.sh installs {self.package} into {self.engine}{room}"
            return Result("vLLM", good=False, found="not installed yet", fix=fix)
        command = [
            str(python),
            "-c",
            "import importlib.metadata as m, sys; import transformers; print(m.version(sys.argv[1]))",
            self.package.split("==", maxsplit=1)[0],
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            return Result(
                "vLLM",
                good=False,
                found=last,
                fix=f"install it anew: rm -r {self.engine}; ./scripts/start_vllm.sh",
            )
        return Result("vLLM", good=True, found=f"{done.stdout.strip()} for the {self.device.upper()}")

    def configuration(self) -> Result:
        """config.json is JSON and names an architecture."""
        file = self.folder / "config.json"
        again = "copy the model anew; config.json comes with the weights"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Result("config.json", good=False, found="missing", fix=again)
        except (OSError, ValueError) as error:
            return Result("config.json", good=False, found=f"no JSON: {error}", fix=again)
        if not isinstance(found, dict):
            return Result("config.json", good=False, found="no JSON object", fix=again)
        self.config = found
        names = self.config.get("architectures")
        if not isinstance(names, list) or not names:
            return Result("config.json", good=False, found="names no architecture", fix=again)
        return Result(
            "config.json",
            good=True,
            found=f"{names[0]}, context {self.config.get('max_position_embeddings', 'unknown')}",
        )

    def weights(self) -> Result:
        """Every shard that the index names is there and is no pointer left by git."""
        index = self.folder / "model.safetensors.index.json"
        if index.is_file():
            try:
                wanted = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            except (OSError, ValueError, LookupError, TypeError, AttributeError):
                return Result(
                    "Weights", good=False, found=f"{index.name} lists none", fix="copy that file anew"
                )
        else:
            wanted = sorted(
                file.name for pattern in ("*.safetensors", "*.bin") for file in self.folder.glob(pattern)
            )
        missing = [name for name in wanted if not (self.folder / name).is_file()]
        pointers = [
            name
            for name in wanted
            if name not in missing and (self.folder / name).stat().st_size < POINTER_BYTES
        ]
        if not wanted:
            return Result(
                "Weights", good=False, found="no *.safetensors", fix="copy the model anew, weights included"
            )
        if missing:
            return Result(
                "Weights", good=False, found=f"missing: {', '.join(missing)}", fix="copy the missing files"
            )
        if pointers:
            return Result(
                "Weights",
                good=False,
                found=f"only a pointer: {', '.join(pointers)}",
                fix="git lfs pull in the model's folder",
            )
        return Result("Weights", good=True, found=f"{len(wanted)} file(s), {self.weights_gib():.2f} GiB")

    def weights_gib(self) -> float:
        """Size of all weights."""
        return (
            sum(
                file.stat().st_size
                for pattern in ("*.safetensors", "*.bin")
                for file in self.folder.glob(pattern)
            )
            / 2**30
        )

    def tokenizer(self) -> Result:
        """One of the forms in which a tokenizer comes."""
        names = [
            name
            for name in ("tokenizer.json", "tokenizer.model", "vocab.json")
            if (self.folder / name).is_file()
        ]
        return Result(
            "Tokenizer",
            bool(names),
            ", ".join(names) or "missing",
            "" if names else "copy tokenizer.json and tokenizer_config.json too",
        )

    def chat_template(self) -> Result:
        """Without one the model completes text but cannot chat."""
        file = self.folder / "tokenizer_config.json"
        good = (self.folder / "chat_template.jinja").is_file() or (
            file.is_file() and '"chat_template"' in file.read_text(encoding="utf-8", errors="replace")
        )
        fix = "take a chat model (Qwen3-0.6B), or hand vLLM one: VLLM_EXTRA_ARGS='--chat-template FILE'"
        return Result("Chat template", good, "there" if good else "missing", "" if good else fix)

    def packing(self) -> Result:
        """8-bit GPTQ needs a GPU."""
        packing = self.config.get("quantization_config")
        if not isinstance(packing, dict):
            return Result("Quantization", good=True, found="none")
        found = f"{packing.get('quant_method')} {packing.get('bits', '')}-bit".strip()
        good = self.device == "gpu" or not (
            packing.get("quant_method") == "gptq" and packing.get("bits") != CPU_GPTQ_BITS
        )
        return Result(
            "Quantization", good, found, "" if good else "vLLM runs this on a GPU only: use Qwen3-0.6B here"
        )

    def memory(self) -> Result:
        """Weights, vLLM and a small cache fit; on a GPU vLLM measures for itself."""
        if self.device == "gpu" or not Path("/proc/meminfo").exists():
            return Result("Memory", good=True, found="vLLM looks when it starts")
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) / 2**20
        need = self.weights_gib() + MEMORY_BESIDE_WEIGHTS_GIB
        fix = (
            ""
            if free >= need
            else "close other programs, take a smaller model, or set VLLM_CPU_KVCACHE_SPACE=1"
        )
        return Result("Memory", free >= need, f"{free:.1f} GiB free, about {need:.1f} needed", fix)


def main() -> int:
    """Prints the table; returns the number of failures."""
    parser = argparse.ArgumentParser(description="checks a model folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=("cpu", "gpu"), required=True)
    parser.add_argument("--engine", type=Path, required=True)
    parser.add_argument("--package", required=True)
    options = parser.parse_args()
    failures = 0
    print(f"{'check':<{NAME_WIDTH}} {'':<7} found")
    for result in ModelCheck(options.folder, options.device, options.engine, options.package).results():
        print(f"{result.name:<{NAME_WIDTH}} {'ok' if result.good else 'FAILED':<7} {result.found}")
        if not result.good:
            failures += 1
            print(f"{'':<{NAME_WIDTH}} {'':<7} -> {result.fix}")
    print("Everything is in order." if not failures else f"{failures} of these must be mended first.")
    return failures


if __name__ == "__main__":
    sys.exit(main())
