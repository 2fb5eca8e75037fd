"""One-line sabotage of what stands around a run: options, files, titles, the gateway, late readers, engines that die.

`old` stands exactly once in its file. Runs nothing.
"""

from tests.mutants.patch import Patch

OPTIONS, X, L = "options/test_options.py::", "transfer/test_export.py::", "faults/test_late_readers.py::"
HELD = "inference/test_held_loop.py::test_a_held_loop_ends_no_answer_whose_bytes_are_there"
TITLE = "transfer/test_fork_and_title.py::TestBehindEverybody::"
DYING = "faults/test_engines.py::"

EDGE_PATCHES = (
    Patch(
        "the cut moves with every turn", "app/services/context_window.py",
        "wanted = -(-too_many // step) * step", "wanted = too_many",
        "options/test_cut.py::test_the_cut_moves_in_steps_and_not_with_every_turn",
    ),
    Patch(
        "an answer stays without its question", "app/services/context_window.py",
        '!= "user":\n            dropped += 1', '!= "user" and False:\n            dropped += 1',
        OPTIONS + "test_what_is_left_fits_and_holds_the_question",
    ),
    Patch(
        "a model is asked for more than it holds", "app/services/run_start.py",
        "model_room(options.max_tokens, options.model, self._catalogue.known(), field=field)", "pass",
        OPTIONS + "test_more_tokens_than_the_model_holds_are_refused_with_its_limit",
    ),
    Patch(
        "a completion asks for more than its model holds", "app/services/completion_service.py",
        "        check_room(options.max_tokens, options.model, self._parts.catalogue.known())\n", "",
        OPTIONS + "test_more_tokens_than_the_model_holds_are_refused_with_its_limit",
    ),
    Patch(
        "any response format", "app/services/option_checks.py",
        "    value = params.response_format\n", "    value = None\n",
        OPTIONS + "test_a_response_format_that_none_could_follow_is_named",
    ),
    Patch(
        "structured output crosses a seam", "app/services/run_generation.py",
        "return not seam.has_text or run.options.response_format is None", "return True",
        "runs/test_going_on.py::test_structured_output_crosses_no_seam",
    ),
    Patch(
        "a thought has no budget", "app/services/run_generation.py",
        "if budget is not None and run.thought_tokens > budget + BUDGET_SLACK", "if False",
        OPTIONS + "test_a_thought_over_its_budget_is_ended_where_the_engine_does_not",
    ),
    Patch(
        "a budget is asked for again and again", "app/inference/vllm_client.py",
        "        if engine.ends_no_thoughts:\n            left", "        if False:\n            left",
        OPTIONS + "test_an_engine_without_budgets_is_asked_without_one",
    ),
    Patch(
        "a title goes before people", "app/services/chat_titling.py",
        "options, last=True)", "options)",
        TITLE + "test_a_run_that_comes_later_goes_first",
    ),
    Patch(
        "what is last has its turn as all", "app/services/admission.py",
        "        elif ticket.last:\n", "        elif False:\n",
        TITLE + "test_a_run_that_comes_later_goes_first",
    ),
    Patch(
        "a message is HTML in a file", "app/services/export_formats.py",
        "text = html.escape(message.content)", "text = message.content",
        X + "test_html_is_inert",
    ),
    Patch(
        "a title is HTML in a file", "app/services/export_formats.py",
        'title=html.escape(chat.title or "Chat")', 'title=chat.title or "Chat"',
        X + "test_html_is_inert",
    ),
    Patch(
        "a thought is HTML in a file", "app/services/export_formats.py",
        "{html.escape(message.reasoning)}", "{message.reasoning}",
        X + "test_html_is_inert_also_where_it_is_a_thought",
    ),
    Patch(
        "thoughts are always in the JSON", "app/services/export_formats.py",
        "    if not reasoning:\n", "    if False:\n",
        X + "test_thinking_is_in_the_file_only_on_request[json]",
    ),
    Patch(
        "thoughts are always in the Markdown", "app/services/export_formats.py",
        "        if reasoning and message.reasoning:\n            parts", "        if message.reasoning:\n            parts",
        X + "test_thinking_is_in_the_file_only_on_request[markdown]",
    ),
    Patch(
        "errors below /v1 are ours", "app/api/openai_errors.py",
        'return f"{path}/".startswith(("/v1/", "/api/chat/completions/"))', "return False",
        "rest/test_openai_door.py::test_an_error_is_openais",
    ),
    Patch(
        "an error below /v1 lacks its field", "app/api/openai_errors.py",
        '"type": kind, "param": param, "code"', '"type": kind, "code"',
        "rest/test_openai_door.py::test_an_error_is_openais",
    ),
    Patch(
        "one preset more than the limit", "app/services/preset_service.py",
        "count(user_id) >= MAX_PRESETS_PER_USER", "count(user_id) > MAX_PRESETS_PER_USER",
        "rest/test_presets.py::test_there_is_a_limit",
    ),
    Patch(
        "a file of any size", "app/api/limits.py",
        'LARGE_PATHS = {"/api/import": MAX_IMPORT_BYTES}', 'LARGE_PATHS = {"/api/import": 10**12}',
        "transfer/test_import.py::test_a_file_may_be_large_but_not_without_end",
    ),
    Patch(
        "a temporary run stays open", "app/services/run_generation.py",
        "if self._limits.resume and run.log.kept:", "if self._limits.resume:",
        "temporary/test_temporary_chats.py::test_a_shutdown_ends_its_run_as_interrupted",
    ),
    Patch(
        "a timer is believed before the socket", "app/inference/deadline.py",
        "LOOKS = 4\n", "LOOKS = 0\n", HELD,
    ),
    Patch(
        "a dying engine is asked all the same", "app/services/engine_waiting.py",
        "if attempts.is_doubtful and not await", "if False and not await",
        DYING + "test_f05_a_vllm_that_says_it_is_dying_is_waited_for_and_uses_up_no_attempt",
    ),
    Patch(
        "refusals of a dying engine count", "app/services/engine_waiting.py",
        'return not await self._health.is_well(run.asked_model or "")', "return False",
        DYING + "test_f05_refusals_of_a_dying_vllm_end_no_answer_that_had_begun",
    ),
    Patch(
        "an ill engine is waited for without end", "app/services/engine_waiting.py",
        "if now - attempts.waiting_since >= self._engine_wait_s:", "if False:",
        DYING + "test_f05_an_engine_that_stays_ill_is_waited_for_as_long_as_is_set",
    ),
    Patch(
        "a start throws away what has ended", "app/repositories/journal_past.py",
        "path.rename(path.with_suffix(SUFFIX))", "remove(path)",
        L + "test_the_events_of_an_answer_outlive_any_number_of_restarts[sqlite]",
    ),
    Patch(
        "a start deletes what has ended", "app/repositories/run_lease.py",
        'PUT_ASIDE = f"UPDATE journal_batches SET file = -{MINUTE} WHERE', 'PUT_ASIDE = f"DELETE FROM journal_batches WHERE',
        L + "test_the_events_of_an_answer_outlive_any_number_of_restarts[postgresql]",
    ),
    Patch(
        "the end of another run is told", "app/services/run_recall.py",
        'message.details.get("run_id") != run_id', "False",
        L + "test_what_is_not_whole_any_more_is_gone",
    ),
    Patch(
        "a run whose end is stored still streams", "app/services/run_view.py",
        "if live is None or run.status not in LIVE_STATUSES:", "if live is None:",
        "faults/test_ends.py::test_a_chat_without_a_live_run_has_no_answer_that_streams",
    ),
    Patch(
        "ten minutes have no end", "app/services/run_recall.py",
        "if left_s <= 0 or message is None", "if message is None",
        L + "test_what_is_not_whole_any_more_is_gone",
    ),
)  # fmt: skip
