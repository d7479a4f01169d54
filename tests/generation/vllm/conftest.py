"""A server that computes with a tiny model."""

from collections.abc import Iterator

import pytest

from tests.generation.vllm.stub_server import Stub, serving
from tests.generation.vllm.tiny_remote import TOKENIZER, make_model


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub(make_model(), TOKENIZER)) as stub:
        yield stub
