"""`/v1/models`: each mode that a server can answer in is a model to OpenAI's clients."""

from typing import Any

from fastapi import APIRouter, HTTPException

from xorag.serving.failures import refusals
from xorag.serving.protocol import Service
from xorag.types import Mode

PREFIX = "xorag-"


def model_name(mode: Mode) -> str:
    """What a mode is called as a model.

    Examples:
        >>> model_name(Mode.XRAG)
        'xorag-xrag'
    """
    return PREFIX + mode.value


def mode_named(model: str, modes: tuple[Mode, ...]) -> Mode:
    """The mode that a model's name means.

    Raises:
        HTTPException: 404 if the server cannot answer in it, or there is none of that name.
    """
    for mode in modes:
        if model == model_name(mode):
            return mode
    able = ", ".join(model_name(mode) for mode in modes)
    raise HTTPException(404, f"no model {model!r} here; this server has {able}")


def models_router(service: Service, started: int) -> APIRouter:
    """The routes that list models.

    Args:
        service: What answers.
        started: When, in seconds since 1970; the models are said to be made then.
    """
    router = APIRouter(prefix="/v1/models", tags=["openai"])

    def worded(mode: Mode) -> dict[str, Any]:
        name = model_name(mode)
        return {"id": name, "object": "model", "created": started, "owned_by": "xorag"}

    @router.get("", responses=refusals())
    async def list_models() -> dict[str, Any]:
        """List the modes that can be asked in."""
        return {"object": "list", "data": [worded(mode) for mode in service.modes]}

    @router.get("/{model}", responses=refusals(404))
    async def show_model(model: str) -> dict[str, Any]:
        """Show one of them."""
        return worded(mode_named(model, service.modes))

    return router
