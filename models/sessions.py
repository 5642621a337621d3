"""How models run: onnxruntime sessions on one thread, on CUDA where it is proven to work, else on the CPU."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Literal

from ..repo.errors import DamagedError, PlaceError, UsageError

if TYPE_CHECKING:
    import onnxruntime

Device = Literal["auto", "cpu", "cuda"]
_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h of glibc


def open_session(model: bytes, device: Device = "auto") -> onnxruntime.InferenceSession:
    """A session over a model's bytes.

    "auto" takes CUDA when this onnxruntime has it and the session says that it got it, else the CPU;
    "cuda" raises `PlaceError` where it cannot be had. Raises `DamagedError` for bytes that are no model.
    """
    # Nothing leaves this machine: onnxruntime reads this once, when it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"there is no device called {device!r}", "use one of: auto, cpu, cuda")
    options = onnxruntime.SessionOptions()
    # One thread: these models take microseconds, and the daemon shares the machine with the person's work.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Its own pool would keep the largest batch's memory for good; these models ask for little, and seldom.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # what goes wrong is raised; nothing is printed beside it
    # The list of available providers names CUDA on machines without a GPU: only an opened session proves it.
    if device != "cpu" and _CUDA in onnxruntime.get_available_providers():
        session = _open(model, options, [_CUDA, _CPU])
        if _CUDA in session.get_providers():
            return session
    if device == "cuda":
        raise PlaceError(
            "no CUDA device can be used", "install onnxruntime-gpu and the CUDA libraries, or use cpu"
        )
    return _open(model, options, [_CPU])


def device_of(session: onnxruntime.InferenceSession) -> str:
    """Where a session runs: "cuda" or "cpu"."""
    return "cuda" if _CUDA in session.get_providers() else "cpu"


def keep_little() -> None:
    """Have the C library keep little of what is freed: see mallopt(3). For a process of many threads and days.

    Left alone, glibc makes a heap for each thread, and serves ever larger blocks from heaps that seldom shrink.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for option, value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, 256 * 1024), (_TRIM_THRESHOLD, 512 * 1024)):
        if mallopt is not None:
            mallopt(option, value)


def give_back() -> None:
    """Return memory that is free to the system, where the C library keeps it for later: see malloc_trim(3)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return  # another C library than glibc: it has its own ways


def _open(
    model: bytes, options: onnxruntime.SessionOptions, providers: list[str]
) -> onnxruntime.InferenceSession:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # onnxruntime's own types share no public base
        raise DamagedError(
            f"onnxruntime cannot open a model: {error}", "install Cortex and onnxruntime again"
        ) from error
    # It keeps the file's bytes beside what it made of them, to begin again with other providers; we never do.
    if hasattr(session, "_model_bytes"):
        session._model_bytes = b""
    return session
