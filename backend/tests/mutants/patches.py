"""One-line sabotage of the product, each with the test that must turn red. Applied to a copy only, by `run.py`.

`old` stands exactly once in its file. Runs nothing.
"""

from tests.mutants.edge_patches import EDGE_PATCHES
from tests.mutants.patch import Patch

__all__ = ["PATCHES", "Patch"]

R, J, S = "runs/test_run_log.py::", "runs/test_run_journal.py::", "storage/test_units.py::"
SOCKET, DOOR = "realtime/test_socket_door.py::", "rest/test_door.py::"

PATCHES = (
    *EDGE_PATCHES,
    Patch(
        "publish before persist", "app/services/run_log.py",
        "        self._journal.add(self, event, token_ids)\n\n",
        "        self._journal.add(self, event, token_ids)\n        self.durable(event.seq)\n\n",
        R + "test_nothing_is_seen_before_it_is_safe",
    ),
    Patch(
        "publish what the disk refused", "app/repositories/group_commit.py",
        "        if error is not None:\n            self._failed(batch, error)\n            return\n", "",
        J + "test_a_full_disk_ends_runs_with_what_was_shown",
    ),
    Patch(
        "give up at the first commit that fails", "app/repositories/group_commit.py",
        "if now - since < GIVE_UP_S and", "if now - since < 0 and",
        J + "test_a_disk_that_refuses_for_a_while_loses_nothing",
    ),
    Patch(
        "token ids are not journaled", "app/repositories/journal_file.py",
        "return run_key(run_id), event.seq, kind, event.text, tuple(token_ids)",
        "return run_key(run_id), event.seq, kind, event.text, ()",
        "faults/test_crashes.py::test_f01_kill_9_of_the_backend_loses_nothing_and_the_run_goes_on[sqlite]",
    ),
    Patch(
        "numbers begin again after a crash", "app/services/run_log.py",
        "        self._events = list(known.events)\n", "        self._events = []\n",
        "faults/test_crashes.py::test_f01_kill_9_of_the_backend_loses_nothing_and_the_run_goes_on[sqlite]",
    ),
    Patch(
        "ask again from the start", "app/services/run_prompt.py",
        "        if seam.is_exact:\n", "        if False:\n",
        "runs/test_going_on.py::test_max_tokens_counts_across_the_seam",
    ),
    Patch(
        "max_tokens begins again at a seam", "app/services/run_prompt.py",
        "limit = (run.options.max_tokens or 1) - seam.tokens", "limit = run.options.max_tokens or 1",
        "runs/test_going_on.py::test_max_tokens_counts_across_the_seam",
    ),
    Patch(
        "go on for ever", "app/services/run_attempts.py",
        "    3  # attempts in a row without a new token", "    7  # attempts in a row without a new token",
        "runs/test_going_on.py::test_three_attempts_without_a_new_token_interrupt_it",
    ),
    Patch(
        "an error in the stream is no error", "app/inference/openai_chunks.py",
        "        if chunk.error is not None:\n", "        if False:\n",
        "inference/test_stream_bytes.py::test_malformed_streams_end_as_they_should_and_lose_no_text",
    ),
    Patch(
        "[DONE] alone is success", "app/inference/openai_chunks.py",
        "        if self._finish_reason is None:\n", "        if False:\n",
        "inference/test_stream_bytes.py::test_malformed_streams_end_as_they_should_and_lose_no_text",
    ),
    Patch(
        "the end of the connection is the end of the answer", "app/inference/answer_stream.py",
        "        if not chunk:\n            return self._decoder.cut()\n",
        "        if not chunk:\n            return self._decoder.feed([b'[DONE]'])\n",
        "runs/test_engine_failures.py::test_a_stream_that_breaks_is_interrupted_with_its_text",
    ),
    Patch(
        "no idle timeout", "app/inference/answer_stream.py",
        "self._deadline.at = now + self._idle_s", "self._deadline.at = now + 3600",
        "runs/test_engine_failures.py::test_a_stream_that_breaks_is_interrupted_with_its_text",
    ),
    Patch(
        "no limit for the first token", "app/inference/vllm_client.py",
        "deadline = asked_at + self._limits.first_token_s", "deadline = asked_at + 3600",
        "runs/test_engine_failures.py::test_silence_before_the_first_token_fails_at_its_limit",
    ),
    Patch(
        "leaving keeps the engine busy", "app/inference/vllm_client.py",
        "            response.close()  # at once, also in the middle: this is what makes the engine stop\n", "",
        "inference/test_vllm_client.py::test_leaving_closes_the_connection_and_the_engine_sees_it",
    ),
    Patch(
        "control tokens pass", "app/inference/generation_body.py",
        '"messages": [{"role": role, "content": inert(content)} for role, content in generation.turns],',
        '"messages": [{"role": role, "content": content} for role, content in generation.turns],',
        "inference/test_vllm_client.py::test_the_request_carries_what_is_asked_and_no_live_control_token",
    ),
    Patch(
        "a line without an end is kept", "app/inference/sse.py",
        "        if self._size > MAX_LINE_BYTES:\n", "        if False:\n",
        "inference/test_stream_bytes.py::test_a_line_without_an_end_is_refused",
    ),
    Patch(
        "transactions begin deferred", "app/database.py",
        'begin="BEGIN IMMEDIATE"', 'begin="BEGIN"',
        S + "test_nobody_writes_between_what_a_unit_reads_and_what_it_writes",
    ),
    Patch(
        "commits do not reach the disk", "app/database.py",
        'cursor.execute("PRAGMA synchronous=FULL")', 'cursor.execute("PRAGMA synchronous=OFF")',
        S + "test_sqlite_is_set_up_to_lose_nothing",
    ),
    Patch(
        "a run may end twice", "app/repositories/runs.py",
        "\" AND status IN ('queued', 'streaming') AND (owner IS NULL OR owner = :by) RETURNING id\"",
        '" AND (owner IS NULL OR owner = :by) RETURNING id"',
        S + "test_a_run_ends_once",
    ),
    Patch(
        "a second backend on the same file", "app/repositories/opening.py",
        "        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)\n", "",
        "storage/test_schema.py::test_a_second_backend_on_the_same_file_is_refused",
    ),
    Patch(
        "a newer schema is taken", "app/repositories/schema.py",
        "if present is not None and present not in known:", "if False:",
        "storage/test_schema.py::test_a_newer_schema_is_refused_and_left_alone",
    ),
    Patch(
        "no copy before a migration", "app/repositories/schema.py",
        "            _copy(database.path, present)\n", "            pass\n",
        "storage/test_schema.py::test_a_copy_is_taken_before_migrating_data",
    ),
    Patch(
        "sending again sends twice", "app/services/run_start.py",
        "            if room.has_run or room.has_message or room.is_live:\n", "            if False:\n",
        "runs/test_starting.py::test_fifty_times_the_same_request_at_once_is_one_run",
    ),
    Patch(
        "one more than the limit", "app/services/admission.py",
        "if not may_run and waiting >= self._max_queued:", "if not may_run and waiting > self._max_queued:",
        "runs/test_admission.py::test_a_storm_gives_exactly_running_queued_and_refused",
    ),
    Patch(
        "stop keeps what was not seen", "app/services/run_generation.py",
        'return Ending("stopped", text_seq=run.seen_seq)', 'return Ending("stopped")',
        "runs/test_stopping.py::test_stop_cuts_at_what_was_seen_and_takes_no_number_back",
    ),
    Patch(
        "a snapshot leaves the tail to be told again", "app/services/run_log.py",
        "        self._seal()\n        reasoning, content = self.text(self._visible)\n",
        "        reasoning, content = self.text(self._visible)\n",
        R + "test_a_snapshot_numbers_the_unmerged_tail_so_that_no_delta_repeats_it",
    ),
    Patch(
        "coming back skips an event", "app/services/chat_joining.py",
        "return log.events_after(after_seq)", "return log.events_after(after_seq + 1)",
        "realtime/test_joining.py::test_coming_back_with_any_number_brings_exactly_the_missed_events",
    ),
    Patch(
        "joining asks not whose chat it is", "app/services/chat_joining.py",
        "            if await unit.chats.get(user_id, chat_id) is None:\n", "            if False:\n",
        "faults/test_ownership.py::test_nobody_joins_another_users_chat",
    ),
    Patch(
        "events go to everybody in the room", "app/realtime/rooms.py",
        "if run_id in member.behind or member.user_id != user_id:", "if run_id in member.behind:",
        "realtime/test_slow_reader.py::test_nobody_hears_of_another_users_chat",
    ),
    Patch(
        "slow readers are sent everything", "app/realtime/rooms.py",
        "            if member.outbox.backlog > CREDIT_CHARS:\n                member.behind[run_id] = events[0].seq - 1\n",
        "            if False:\n                member.behind[run_id] = events[0].seq - 1\n",
        "realtime/test_slow_reader.py::test_a_stuck_reader_is_skipped_and_caught_up_without_a_gap",
    ),
    Patch(
        "every page may connect", "app/realtime/gateway.py",
        "cors_allowed_origins=settings.origins,", "cors_allowed_origins=[],",
        SOCKET + "test_the_socketio_server_checks_the_page_itself_too",
    ),
    Patch(
        "every host name is ours", "app/api/limits.py",
        'return len(named) == 1 and (urlsplit(f"//{named[0]}").hostname or "") in self._hosts', "return True",
        DOOR + "test_other_host_names_are_refused",
    ),
    Patch(
        "any length of a body", "app/api/limits.py",
        "            if received > limit:\n", "            if False:\n",
        DOOR + "test_a_body_has_a_limit",
    ),
    Patch(
        "surrogates pass", "app/schemas/base.py",
        'raise PydanticCustomError("lone_surrogate", "must not contain a lone surrogate") from None', "pass",
        "rest/test_bad_input.py::test_each_bad_field_is_named_and_nothing_is_stored",
    ),
    Patch(
        "a thousand bad fields make a thousand lines", "app/api/errors.py",
        "        if number == MAX_FIELDS:\n            return\n", "",
        "rest/test_bad_input.py::test_many_bad_fields_make_a_small_reply",
    ),
    Patch(
        "an answer whose end is stored still streams", "app/services/run_view.py",
        "if live is None or message.status not in LIVE_STATUSES:", "if live is None:",
        "faults/test_ends.py::test_a_chat_without_a_live_run_has_no_answer_that_streams",
    ),
)  # fmt: skip
