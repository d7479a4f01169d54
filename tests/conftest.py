"""What all tests share: reproducible, few threads, and no network unless a test asks for it."""

import os
import signal

# Before any library is imported that reads them.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from hypothesis import HealthCheck, settings

# A shell's background jobs ignore Ctrl-C, and so would the programs that tests send it to.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "xorag",
    deadline=None,  # times vary on shared machines
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("xorag")
