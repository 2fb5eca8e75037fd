"""What the scripts of single parts say to a wrong argument or setting, before they set anything up.

What start_all.sh says is in test_starting.py.
"""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1]
OWN_SCRIPTS = (
    "run.sh",
    "start_all.sh",
    "start_qwen.sh",
    "start_vllm.sh",
    "start_backend.sh",
    "start_frontend.sh",
    "test_qwen_model.sh",
)
WITHOUT_SETUP_S = 30


def said(script: str, *arguments: str, code: int, **settings: str) -> str:
    """Runs a script that has nothing to do but to refuse; returns what it said."""
    environment = {**os.environ, "ENV_FILE": os.devnull, "VLLM_API_BASE_URL": "", **settings}
    process = subprocess.Popen(
        ["bash", str(SCRIPTS / script), *arguments], env=environment, cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        text, _ = process.communicate(timeout=WITHOUT_SETUP_S)
    except subprocess.TimeoutExpired:
        # It went on to set things up: nothing of that stays.
        os.killpg(process.pid, signal.SIGKILL)
        text, _ = process.communicate()
        pytest.fail(f"{script} did not refuse: {text}")
    assert process.returncode == code, text
    return text


@pytest.mark.parametrize("script", OWN_SCRIPTS)
def test_help_names_the_script_and_does_nothing_else(script: str) -> None:
    assert said(script, "--help", code=0).startswith(f"Usage: ./scripts/{script}")


@pytest.mark.parametrize("script", ["start_all.sh", "start_qwen.sh", "start_vllm.sh", "test_qwen_model.sh"])
def test_an_option_that_is_none_is_said_with_where_to_look(script: str) -> None:
    text = said(script, "--colour", code=78)

    assert 'there is no option "--colour"' in text
    assert "--help" in text


@pytest.mark.parametrize(
    ("script", "most"),
    [("start_all.sh", 4), ("start_qwen.sh", 3), ("start_vllm.sh", 2), ("test_qwen_model.sh", 1)],
)
def test_an_argument_too_many_is_named(script: str, most: int) -> None:
    text = said(script, *["1"] * most, "surplus", code=78)

    assert f'{script} takes no argument "surplus"' in text


def test_start_qwen_passes_verbose_on_beside_its_ports() -> None:
    assert '"80800"' in said("start_qwen.sh", "--verbose", "1", "2", "80800", code=78)


@pytest.mark.parametrize(
    ("script", "setting"), [("start_backend.sh", "BACKEND_PORT"), ("start_frontend.sh", "FRONTEND_PORT")]
)
def test_a_part_whose_port_is_in_use_says_so_and_names_the_setting(script: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = said(script, code=1, **{setting: str(port)})

    assert f"port {port}" in text
    assert f"set {setting}" in text
    assert "==>" not in text


@pytest.mark.parametrize(
    ("script", "setting"),
    [
        ("start_backend.sh", "BACKEND_PORT"),
        ("start_frontend.sh", "FRONTEND_PORT"),
        ("start_frontend.sh", "BACKEND_PORT"),
    ],
)
def test_a_setting_that_is_no_port_is_named(script: str, setting: str) -> None:
    assert f'{setting} is "eighty"' in said(script, code=78, **{setting: "eighty"})


def checked(model: str, home: Path) -> str:
    """The table about a model that is not there, on a machine without vLLM: two failures."""
    places = {"MODELS_DIR": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    return said("test_qwen_model.sh", model, code=2, ENGINE_DEVICE="cpu", **places)


def test_a_model_that_a_hub_may_have_is_looked_for_at_one(tmp_path: Path) -> None:
    assert "asks the model hub for Qwen3-9B" in checked("Qwen3-9B", tmp_path)


def test_a_model_that_no_hub_has_is_not_looked_for_at_one(tmp_path: Path) -> None:
    text = checked("my-own", tmp_path)

    assert "my-own is not there" in text
    assert "asks the model hub" not in text


def test_the_models_that_are_there_are_named_where_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")

    text = checked("my-own", tmp_path)

    assert "there are: mine" in text


def repository(wanted: str, home: Path) -> str:
    """Where start_all.sh would ask a hub for this model, whose folder is not there."""
    look_up = (
        '. "$0/settings.sh"; . "$0/model.sh"; load_settings; look_up_model "$1"; echo "$MODEL_REPOSITORY"'
    )
    environment = {
        **os.environ,
        "ENV_FILE": os.devnull,
        "MODELS_DIR": str(home / "models"),
        "ENGINE_DEVICE": "cpu",
    }
    done = subprocess.run(
        ["bash", "-euc", look_up, str(SCRIPTS / "lib"), wanted],
        env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=WITHOUT_SETUP_S,
    )  # fmt: skip
    return done.stdout.strip() or (done.stderr.splitlines() or [""])[0]


@pytest.mark.parametrize("wanted", ["Qwen3-0.6B", "models/Qwen3-0.6B", "Qwen/Qwen3-0.6B"])
def test_the_models_folder_is_not_taken_for_an_organisation(wanted: str, tmp_path: Path) -> None:
    assert repository(wanted, tmp_path) == "Qwen/Qwen3-0.6B"


def test_a_name_under_the_models_folder_that_no_hub_has_is_said(tmp_path: Path) -> None:
    assert 'there is no model "mine"' in repository("models/mine", tmp_path)


def a_model(folder: Path, config: str = "{}", weights: bytes = b"x" * 4096) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config)
    (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.mark.parametrize("script", ["start_all.sh", "start_vllm.sh"])
@pytest.mark.parametrize("config", ["{", "[]", ""])
def test_a_configuration_that_is_none_is_said_before_anything_is_set_up(
    script: str, config: str, tmp_path: Path
) -> None:
    text = said(script, str(a_model(tmp_path / "mine", config)), code=78, ENGINE_DEVICE="cpu")

    assert "config.json" in text
    assert "test_qwen_model.sh" in text
    assert "Traceback" not in text


def test_weights_that_git_left_pointers_of_are_no_model(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"

    text = said(
        "start_all.sh", str(a_model(tmp_path / "mine", weights=pointer)), code=78, ENGINE_DEVICE="gpu"
    )

    assert "git lfs pull" in text


def test_weights_behind_a_link_are_the_model(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "mine")
    (folder / "model.safetensors").rename(tmp_path / "blob")
    (folder / "model.safetensors").symlink_to(tmp_path / "blob")

    assert repository(str(folder), tmp_path) == ""


@pytest.mark.parametrize("script", ["start_all.sh", "start_vllm.sh"])
def test_arguments_for_vllm_with_an_open_quote_are_said(script: str) -> None:
    text = said(script, code=78, VLLM_EXTRA_ARGS="--chat-template 'mine")

    assert "VLLM_EXTRA_ARGS" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("name", ["MAX_NEW_TOKEN", "VLLM_API_BASE", "SOMETHING_ELSE"])
@pytest.mark.parametrize("script", ["start_all.sh", "start_vllm.sh", "start_backend.sh", "start_frontend.sh"])
def test_a_name_in_env_that_is_no_setting_is_said(script: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"LOG_LEVEL=INFO\n{name}=1\n")

    assert f".env line 2: there is no setting {name}." in said(
        script, code=78, ENV_FILE=str(tmp_path / "env")
    )


def test_what_other_programs_read_may_stand_in_env(tmp_path: Path) -> None:
    lines = ("HTTPS_PROXY=http://proxy", "HF_TOKEN=x", "VLLM_LOGGING_LEVEL=INFO", "COMPOSE_PROJECT_NAME=x")
    (tmp_path / "env").write_text("\n".join(lines) + "\nFRONTEND_PORT=none\n")

    assert 'FRONTEND_PORT is "none"' in said("start_frontend.sh", code=78, ENV_FILE=str(tmp_path / "env"))


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("config.json", "[]", "config.json"),
        ("config.json", "{", "config.json"),
        ("model.safetensors.index.json", "{}", "Weights"),
        ("model.safetensors.index.json", "[", "Weights"),
        ("model.safetensors", "version https://git-lfs.github.com/spec/v1", "Weights"),
        ("tokenizer_config.json", "\udcff", "Chat template"),
    ],
)
def test_whatever_is_wrong_with_a_model_is_a_line_of_the_table(
    file: str, text: str, line: str, tmp_path: Path
) -> None:
    folder = a_model(tmp_path / "mine", '{"architectures": ["Qwen3ForCausalLM"]}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    if file == "tokenizer_config.json":
        (folder / "chat_template.jinja").unlink()
    (folder / file).write_text(text, errors="surrogateescape")
    places = {"MODELS_DIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "ENGINE_DEVICE": "cpu"}

    table = said("test_qwen_model.sh", "mine", code=2, **places)

    failed = [words.split("  ")[0] for words in table.splitlines() if " FAILED " in words]
    assert failed == ["vLLM", line]
