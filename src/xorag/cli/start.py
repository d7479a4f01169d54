"""Where the program begins and ends: Ctrl-C while it is still importing, and a quick way out.

Imports nothing that takes time, so that from here on an interrupt is told in one sentence.
"""

import gc
import sys


def main() -> None:
    """Run the command line."""
    try:
        from xorag.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Error: interrupted; run the same command again to go on or start over\n")
        raise SystemExit(1) from None
    finally:
        # At its end Python looks for garbage among all objects of torch and transformers, which
        # takes a second and frees what the end of the process frees anyway.
        gc.freeze()


if __name__ == "__main__":
    main()
