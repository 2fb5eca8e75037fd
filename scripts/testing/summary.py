"""Adds up a test run: a table of steps, the real parts and how many tests each served, one closing line.

It does not run anything. Reads `steps.tsv` (name, seconds, exit code, JUnit file or `-`) in the folder it is given.
"""

import argparse
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

PARTS = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "socketio": "Socket.IO client",
    "chromium": "Chromium",
    "firefox": "Firefox",
    "webkit": "WebKit",
    "real_vllm": "vLLM",
}


@dataclass
class Step:
    """What one step did."""

    name: str
    seconds: int
    code: int
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def read_junit(step: Step, file: Path) -> None:
    """Adds the cases of a JUnit file; a file that is not there or cannot be read is a failure of the step."""
    try:
        root = ET.parse(file).getroot()  # noqa: S314 (written by this run's own test runners)
    except (OSError, ET.ParseError) as error:
        step.failures.append(f"{step.name}: no result ({error})")
        return
    # pytest tells an error after a test's own result in a second case of the same name.
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            step.failed += 1
            step.failures.append(name)
        elif case.find("skipped") is not None:
            step.skipped += 1
        else:
            step.passed += 1
            step.parts.update(
                each.get("value", "") for each in case.iter("property") if each.get("name") == "part"
            )


def read_steps(folder: Path) -> list[Step]:
    """Every step with its counts. A step without a JUnit file counts as one test, a set-up that went well as none."""
    steps = []
    for line in (folder / "steps.tsv").read_text(encoding="utf-8").splitlines():
        name, seconds, code, junit = line.split("\t")
        step = Step(name, int(seconds), int(code))
        if junit != "-":
            read_junit(step, Path(junit))
        elif step.code == 0 and not name.startswith("set-up"):
            step.passed = 1
        # A runner that ends badly has failed, whatever its cases say: a crash, an error in collection.
        if step.code != 0 and step.failed == 0:
            step.failed = 1
            step.failures.append(f"{name} (exit code {step.code})")
        if step.code == 0 and junit != "-" and step.passed == 0:
            step.failed = 1
            step.failures.append(f"{name}: no test ran")
        steps.append(step)
    return steps


def main() -> int:
    """Prints the summary; the exit code says whether everything passed."""
    parser = argparse.ArgumentParser(description="summary of a test run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", action="append", default=[], metavar="PART=TEXT")
    parser.add_argument(
        "--need", action="append", default=[], choices=PARTS, help="a part that must have served a test"
    )
    options = parser.parse_args()
    steps = read_steps(options.folder)
    versions = dict(each.split("=", 1) for each in options.version)
    served: Counter[str] = sum((step.parts for step in steps), Counter())
    missing = [part for part in options.need if not served[part]]

    print("\nsteps")
    for step in steps:
        state = "ok" if not step.failed else "FAILED"
        skipped = f", {step.skipped} skipped" if step.skipped else ""
        print(
            f"  {state:<6} {step.seconds:>5} s  {step.name}: {step.passed} passed, {step.failed} failed{skipped}"
        )
    if served or missing:
        print("real parts")
        for part, title in PARTS.items():
            if served[part] or part in missing:
                print(f"  {title} {versions.get(part, '')}: {served[part]} tests".replace("  ", " "))
    failures = [failure for step in steps for failure in step.failures]
    failures += [f"no test was served by {PARTS[part]}" for part in missing]
    if failures:
        print("failed")
        for failure in failures:
            print(f"  {failure}")
    passed = sum(step.passed for step in steps)
    failed = sum(step.failed for step in steps) + len(missing)
    skipped = sum(step.skipped for step in steps)
    print(f"total {sum(step.seconds for step in steps)} s")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
