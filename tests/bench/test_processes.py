"""What other processes take, as benchmarks read it."""

import subprocess
import sys

from bench.processes import cpu_seconds

WORKS = """
import threading, time
def work():
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        pass
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("worked", flush=True)
input()
"""


def test_a_thread_that_ended_counts() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"worked\n"
        assert cpu_seconds(process.pid) >= 0.2
        process.communicate(b"\n")
