"""The laws of the model files: pinned by hash, small, and not loaded before they are needed."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from cortex.models import load_classifier, load_counter, load_encoder
from cortex.models.descriptions import ENCODER, FILES, FOLDER, ModelFile, read
from cortex.models.encoder import StaticEncoder
from cortex.models.sessions import device_of, open_session
from cortex.models.tokens import BpeCounter
from cortex.repo.errors import DAMAGED, DamagedError, PlaceError, UsageError


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.name)
def test_every_file_is_the_one_that_its_description_pins(model: ModelFile) -> None:
    assert sha256(read(model)).hexdigest() == model.sha256
    assert model.licence == "MIT"
    assert model.sha256[:12] in model.version


def test_the_folder_holds_what_is_described_and_stays_small() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {model.file for model in FILES}
    assert sum(files.values()) <= 10_000_000


def test_a_changed_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    data = bytearray(read(ENCODER))
    data[len(data) // 2] ^= 1
    (tmp_path / ENCODER.file).write_bytes(data)
    with pytest.raises(DamagedError, match="not the one") as caught:
        read(ENCODER, tmp_path)
    assert caught.value.hint
    assert caught.value.exit_code == DAMAGED


def test_a_missing_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="cannot be read") as caught:
        read(ENCODER, tmp_path)
    assert "install" in caught.value.hint


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(DamagedError):
        StaticEncoder(ENCODER, b"not a model")
    with pytest.raises(DamagedError):
        BpeCounter(ENCODER, b"not a tokenizer")


@pytest.mark.parametrize("load", [load_encoder, load_classifier, load_counter])
def test_an_unknown_set_is_refused_with_the_names_there_are(load) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match="huge") as caught:
        load("huge")
    assert "builtin" in caught.value.hint


def test_the_cpu_is_used_when_asked_for_and_cuda_only_where_proven() -> None:
    data = read(ENCODER)
    assert device_of(open_session(data, "cpu")) == "cpu"
    try:
        assert device_of(open_session(data, "cuda")) == "cuda"
    except PlaceError as error:
        assert "cpu" in error.hint
    with pytest.raises(UsageError):
        open_session(data, "abacus")  # type: ignore[arg-type]


def test_importing_the_package_loads_neither_numpy_nor_onnxruntime() -> None:
    code = (
        "import sys, cortex.models; "
        "print(sorted({'numpy', 'onnxruntime', 'tokenizers', 'duckdb', 'pygit2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
