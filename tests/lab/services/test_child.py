import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.services.child import Child, StartFailed
from program.child import python_module
from tests.waiting import eventually

PARENT = """
import sys, time
from pathlib import Path
from lab.services.child import Child
child = Child("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""
WITH_A_GRANDCHILD = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
time.sleep(600)
"""


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def test_its_output_is_in_the_log_and_its_status_is_known(tmp_path: Path) -> None:
    with Child("talker", [sys.executable, "-c", "print('so'); raise SystemExit(3)"], tmp_path / "log") as child:
        assert eventually(lambda: child.status == 3)
    assert (tmp_path / "log").read_text() == "so\n"


def test_a_child_that_ends_before_it_is_ready_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = Child("broker", [sys.executable, "-c", "raise SystemExit('no such port')"], tmp_path / "log")
    with pytest.raises(StartFailed, match=r"broker ended with status 1; [^\n]*log ends with:\nno such port"):
        child.wait_until(lambda: False, "listening")


def test_a_child_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    child = Child("broker", [sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log")
    with pytest.raises(StartFailed, match="broker was not listening"):
        child.wait_until(lambda: False, "listening", 0.2)
    assert child.status == -signal.SIGTERM


def test_stop_leaves_nothing_of_its_group(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Child("family", [sys.executable, "-c", WITH_A_GRANDCHILD], log):
        assert eventually(lambda: log.read_text().endswith("\n"))
    assert eventually(lambda: _gone(int(log.read_text())))


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    child = Child("deaf", [sys.executable, "-c", deaf], log)
    assert eventually(lambda: "up" in log.read_text())
    assert child.stop(0.1) == -signal.SIGKILL


def test_a_folder_that_holds_a_module_of_our_name_does_not_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "__init__.py").write_text("raise SystemExit('somebody else wrote this')")
    done = subprocess.run(python_module("schemas", "--help"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
def test_a_killed_lab_takes_its_children_along(tmp_path: Path) -> None:
    lab = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert lab.stdout
    with lab.stdout:
        pid = int(lab.stdout.readline())
    os.kill(lab.pid, signal.SIGKILL)
    lab.wait()
    assert eventually(lambda: _gone(pid))
