"""What this process counts about itself, for Prometheus: one registry an application, pulled and never pushed.

Knows no service: whoever has something to tell is handed the measures, or is asked when they are read.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

SAMPLE_S = 0.1  # of the event loop's lag: ten timers a second cost nothing
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
FIRST_TOKEN_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Counted(Collector):
    """A counter that is a number elsewhere."""

    def __init__(self, name: str, description: str, value: Callable[[], float]) -> None:
        self._name, self._description, self._value = name, description, value

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return it as it is now."""
        yield CounterMetricFamily(f"vllm_chat_{self._name}", self._description, value=self._value())


class Measures:
    """The measures of one application.

    Attributes:
        runs_ended: runs by `outcome`.
        deltas: events of text that were published, a plain number: a counter's lock costs more than some deltas.
        first_token: seconds from asking an engine to its first text.
        engine_failures: requests to engines that failed, by `code`.
        commit: seconds that the disk took to make a batch of the run journal safe.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        self.runs_ended = Counter(
            "vllm_chat_runs_ended", "Runs that ended, by outcome.", ["outcome"], registry=self._registry
        )
        self.deltas = 0
        self._registry.register(
            _Counted("deltas", "Deltas of text that were published.", lambda: self.deltas)
        )
        self.first_token = Histogram(
            "vllm_chat_first_token_seconds",
            "From asking an engine to its first text.",
            buckets=FIRST_TOKEN_BUCKETS,
            registry=self._registry,
        )
        self.engine_failures = Counter(
            "vllm_chat_engine_failures",
            "Requests to engines that failed, by code.",
            ["code"],
            registry=self._registry,
        )
        self.commit = Histogram(
            "vllm_chat_commit_seconds",
            "How long a batch of the run journal took to be safe.",
            buckets=COMMIT_BUCKETS,
            registry=self._registry,
        )
        self._lag = Histogram(
            "vllm_chat_loop_lag_seconds",
            "How late the event loop came to a timer.",
            buckets=LAG_BUCKETS,
            registry=self._registry,
        )
        self._own_lag = Histogram(
            "vllm_chat_loop_own_lag_seconds",
            "How much of its lag was at most the event loop's own work; the rest is a machine that gave it no processor.",
            buckets=LAG_BUCKETS,
            registry=self._registry,
        )

    def gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Have `value` asked for whenever the measures are read."""
        Gauge(f"vllm_chat_{name}", description, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)

    async def sample_lag(self) -> None:
        """Measure the event loop's lag until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            due, used = now() + SAMPLE_S, time.thread_time()
            await asyncio.sleep(SAMPLE_S)
            lag = max(0.0, now() - due)
            self._lag.observe(lag)
            self._own_lag.observe(min(lag, time.thread_time() - used))
