"""What runs are made of, put together. Decides nothing and starts nothing."""

from dataclasses import dataclass

from app.config import Settings
from app.ports import (
    ChatModel,
    Clock,
    EngineGauge,
    EngineHealth,
    EventSink,
    Journal,
    JournalPast,
    ModelCatalogue,
    TokenCounter,
    Tokenizer,
)
from app.repositories.storage import Storage
from app.services.active_run import ActiveRuns
from app.services.admission import Admission
from app.services.context_window import ContextWindow
from app.services.engine_waiting import EngineWaiting
from app.services.run_ending import RunEnding
from app.services.run_generation import GenerationLimits, RunGeneration
from app.services.run_lives import RunLives
from app.services.run_logs import RunLogs
from app.services.run_prompt import RunPrompt
from app.services.run_recall import RunRecall
from app.services.run_receipt import RunReceipts
from app.services.run_start import RunStart
from app.services.run_view import RunView


@dataclass(frozen=True)
class RunParts:
    """The parts, each shared by the services that need it."""

    storage: Storage
    catalogue: ModelCatalogue
    clock: Clock
    events: EventSink
    logs: RunLogs
    active: ActiveRuns
    admission: Admission
    starts: RunStart
    lives: RunLives
    view: RunView
    recall: RunRecall
    receipts: RunReceipts


def run_parts(  # noqa: PLR0917 (the adapters of the composition root)
    settings: Settings,
    storage: Storage,
    clock: Clock,
    events: EventSink,
    model: ChatModel,
    catalogue: ModelCatalogue,
    journal: Journal,
    tokenizer: Tokenizer,
    counter: TokenCounter,
    gauge: EngineGauge,
    health: EngineHealth,
    past: JournalPast,
) -> RunParts:
    """Return the parts of one process."""
    logs = RunLogs(journal, events, clock)
    recall = RunRecall(storage, logs, past, clock)
    active = ActiveRuns()
    admission = Admission(
        running=settings.max_concurrent_runs, queued=settings.max_queued_runs, per_user=settings.runs_per_user
    )
    limits = GenerationLimits(settings.run_timeout_s, resume=settings.resume_runs)
    waiting = EngineWaiting(health, clock, settings.engine_wait_s)
    prompt = RunPrompt(storage, catalogue, tokenizer, ContextWindow(counter))
    receipts = RunReceipts(gauge, active)
    return RunParts(
        storage=storage,
        catalogue=catalogue,
        clock=clock,
        events=events,
        logs=logs,
        active=active,
        admission=admission,
        starts=RunStart(
            storage,
            clock,
            catalogue,
            default_max_tokens=settings.tokens_by_default,
            max_new_tokens=settings.max_new_tokens,
        ),
        lives=RunLives(
            active,
            logs,
            admission,
            RunGeneration(model, prompt, clock, waiting, limits),
            RunEnding(storage, clock, events),
            receipts,
            resume=settings.resume_runs,
        ),
        view=RunView(storage, logs, recall, active, admission),
        recall=recall,
        receipts=receipts,
    )
