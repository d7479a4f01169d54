"""A program that serves one slow answer, to be told to stop meanwhile; its argument is a port."""

import asyncio
import sys

from fastapi import FastAPI

from xorag.serving.running import bound_socket, run_until_stopped

app = FastAPI()


@app.get("/slow")
async def slow() -> str:
    """Answer after a while."""
    sys.stdout.write("asked\n")
    sys.stdout.flush()
    await asyncio.sleep(1.0)
    return "done"


if __name__ == "__main__":
    listening = bound_socket("127.0.0.1", 0)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    run_until_stopped(app, listening, seconds=10)
    sys.stdout.write("ended\n")
