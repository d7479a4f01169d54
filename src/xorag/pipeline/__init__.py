"""The whole of xorag in one place: retrieve, put passages into the prompt, generate, answer.

    from xorag import Pipeline
    pipeline = Pipeline.open(index="my-index")
    print(pipeline.ask("Who wrote Emma?", mode="xrag").answer)

`flow.py` is that flow, a function a step: read it first.
"""

from xorag.pipeline.flow import Pipeline

__all__ = ["Pipeline"]
