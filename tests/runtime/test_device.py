"""Device, dtype and threads follow the machine unless told otherwise."""

import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xorag.errors import UsageError
from xorag.runtime import device
from xorag.runtime.device import free_cores, limit_threads, pick_device, pick_dtype, usable_cores

CPU = torch.device("cpu")


@pytest.fixture
def restored_threads() -> object:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def test_a_named_device_is_taken() -> None:
    assert pick_device("cpu") == CPU


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_without_a_gpu_the_cpu_is_picked() -> None:
    assert pick_device() == pick_device("auto") == CPU


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "meta"])
def test_an_absent_device_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(UsageError, match=f"device '{name}' is not available here.*give cpu"):
        pick_device(name)


def test_a_name_that_is_no_device_is_refused() -> None:
    with pytest.raises(UsageError, match="'gpu' is no device; give cpu, cuda"):
        pick_device("gpu")


def test_a_dtype_is_taken_by_name_or_refused() -> None:
    assert pick_dtype(CPU, "float16") == torch.float16
    with pytest.raises(UsageError, match="'int8' is no dtype; give one of bfloat16"):
        pick_dtype(CPU, "int8")


@pytest.mark.parametrize(
    ("bfloat16_seconds", "expected"), [(0.5, torch.bfloat16), (0.9, torch.float32)]
)
def test_bfloat16_is_chosen_on_a_cpu_only_by_a_clear_margin(
    monkeypatch: pytest.MonkeyPatch, bfloat16_seconds: float, expected: torch.dtype
) -> None:
    seconds = {torch.float32: 1.0, torch.bfloat16: bfloat16_seconds}
    monkeypatch.setattr(device, "_matmul_seconds", seconds.__getitem__)
    device._measured_cpu_dtype.cache_clear()

    chosen = pick_dtype(CPU)

    device._measured_cpu_dtype.cache_clear()
    assert chosen == expected


def test_the_measured_dtype_is_the_same_all_through_a_process() -> None:
    assert len({pick_dtype(CPU) for _ in range(3)}) == 1


@pytest.mark.usefixtures("restored_threads")
def test_threads_are_set_by_count_and_not_below_one() -> None:
    assert limit_threads(2) == torch.get_num_threads() == 2
    with pytest.raises(UsageError, match="at least 1, got 0"):
        limit_threads(0)


@pytest.mark.usefixtures("restored_threads")
def test_the_environment_decides_over_the_measured_load(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(device, "free_cores", lambda: 64)

    assert limit_threads() == 1


@given(cores=st.integers(1, 256), load=st.floats(0, 1000))
def test_busy_cores_are_left_alone_but_one_is_always_used(cores: int, load: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "usable_cores", lambda: cores)
        patch.setattr(os, "cpu_count", lambda: cores)
        patch.setattr(os, "getloadavg", lambda: (load, load, load))
        patch.setattr(device, "_other_running_threads", lambda: 10_000)

        assert 1 <= free_cores() <= cores
        assert free_cores() == 1 or free_cores() <= cores - load + 1


def test_the_load_of_a_machine_we_have_a_part_of_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    monkeypatch.setattr(os, "getloadavg", lambda: (60.0, 60.0, 60.0))

    assert free_cores() == 4


@pytest.mark.parametrize(("running", "expected"), [(0, 8), (3, 5), (100, 2)])
def test_load_of_work_that_has_ended_does_not_count(
    monkeypatch: pytest.MonkeyPatch, running: int, expected: int
) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 8)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "getloadavg", lambda: (6.0, 6.0, 6.0))
    monkeypatch.setattr(device, "_other_running_threads", lambda: running)

    assert free_cores() == expected


@pytest.mark.parametrize(("content", "expected"), [("0.10 0.20 0.30 3/345 12", 2), ("", None)])
def test_running_threads_are_counted_less_our_own(
    tmp_path: Path, content: str, expected: int | None
) -> None:
    (tmp_path / "loadavg").write_text(content)

    others = device._other_running_threads(tmp_path / "loadavg")

    assert others == (sys.maxsize if expected is None else expected)


@pytest.mark.parametrize(("content", "expected"), [("150000 100000", 1.5), ("max 100000", None)])
def test_the_quota_of_a_control_group_is_read(
    tmp_path: Path, content: str, expected: float | None
) -> None:
    (tmp_path / "cpu.max").write_text(content)

    assert device._cgroup_quota(tmp_path / "cpu.max", tmp_path) == expected


def test_the_quota_of_an_old_control_group_is_read(tmp_path: Path) -> None:
    (tmp_path / "cpu.cfs_quota_us").write_text("400000\n")
    (tmp_path / "cpu.cfs_period_us").write_text("100000\n")

    assert device._cgroup_quota(tmp_path / "absent", tmp_path) == 4.0
    assert device._cgroup_quota(tmp_path / "absent", tmp_path / "absent") is None


def test_usable_cores_do_not_exceed_the_machines() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
