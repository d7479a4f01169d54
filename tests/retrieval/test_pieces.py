"""Embeddings of pieces: with the title in front, in order, encoded once."""

import numpy as np
import pytest

from tests.retrieval.counting_encoder import CountingEncoder
from xorag.data.pieces import cut_into_pieces
from xorag.errors import UsageError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.pieces import PieceEmbedder
from xorag.retrieval.timed import PiecesOnDemand
from xorag.types import Passage

EMMA = Passage("e#0", "e", "Emma", "Emma was the first novel of the author. It was in Paris.", 0)
SEA = Passage("s#0", "s", "", "The river is in the city, and the mountain is born in the sea.", 0)


@pytest.fixture
def counting(encoder: Encoder) -> CountingEncoder:
    return CountingEncoder(encoder)


def test_each_piece_is_encoded_with_the_title_in_front(counting: CountingEncoder) -> None:
    (of_emma, of_sea) = PieceEmbedder(counting).embed([EMMA, SEA], [2, 3])

    texts = [
        *(f"Emma | {piece}" for piece in cut_into_pieces(EMMA.text, 2)),
        *cut_into_pieces(SEA.text, 3),
    ]
    assert counting.encoded == texts
    expected = counting.inner.encode_passages(texts)
    np.testing.assert_allclose(np.concatenate([of_emma, of_sea]), expected, atol=1e-3)
    assert (of_emma.shape[0], of_sea.shape[0]) == (2, 3)


def test_pieces_are_rounded_as_an_index_rounds_them(counting: CountingEncoder) -> None:
    (pieces,) = PieceEmbedder(counting).embed([EMMA], [2])

    assert pieces.dtype == np.float32
    assert (pieces == pieces.astype(np.float16)).all()


def test_what_was_encoded_is_not_encoded_again(counting: CountingEncoder) -> None:
    embedder = PieceEmbedder(counting)
    first = embedder.embed([EMMA, SEA], [2, 1])
    counting.encoded.clear()

    again = embedder.embed([SEA, EMMA, SEA], [1, 2, 2])

    assert counting.encoded == cut_into_pieces(SEA.text, 2)
    assert (again[0] == first[1]).all()
    assert (again[1] == first[0]).all()


def test_the_same_passage_twice_is_encoded_once(counting: CountingEncoder) -> None:
    one, two = PieceEmbedder(counting).embed([SEA, SEA], [2, 2])

    assert len(counting.encoded) == 2
    assert (one == two).all()


def test_what_was_used_longest_ago_makes_room(counting: CountingEncoder) -> None:
    embedder = PieceEmbedder(counting, cached_pieces=2)
    embedder.embed([EMMA, SEA], [1, 1])
    embedder.embed([EMMA], [1])
    embedder.embed([SEA], [2])
    counting.encoded.clear()

    embedder.embed([SEA, EMMA], [2, 1])

    assert counting.encoded == [EMMA.titled_text]


def test_an_embedder_may_keep_nothing(counting: CountingEncoder) -> None:
    embedder = PieceEmbedder(counting, cached_pieces=0)

    first, again = (embedder.embed([EMMA], [2]) for _ in range(2))

    assert (first[0] == again[0]).all()
    assert len(counting.encoded) == 4


def test_less_than_one_piece_is_refused(counting: CountingEncoder) -> None:
    with pytest.raises(UsageError, match="at least 1 piece"):
        PieceEmbedder(counting).embed([EMMA], [0])


def test_a_passage_that_fits_needs_one_piece_and_a_longer_one_more(
    counting: CountingEncoder,
) -> None:
    embedder = PieceEmbedder(counting)
    (fits,) = counting.count_tokens([EMMA.titled_text])
    twice = Passage("t", "t", "Emma", f"{EMMA.text} {EMMA.text}", 0)

    assert embedder.needed_pieces([EMMA, SEA, twice], fits) == [1, 1, 2]
    assert embedder.needed_pieces([EMMA], fits - 1) == [2]


def test_a_title_longer_than_a_piece_leaves_room_for_half_a_piece(
    counting: CountingEncoder,
) -> None:
    titled = Passage("t", "t", "paris " * 50, "emma " * 20, 0)

    assert PieceEmbedder(counting).needed_pieces([titled], 20) == [2]


def test_an_encoder_is_opened_when_the_first_pieces_are_asked_for(
    counting: CountingEncoder,
) -> None:
    opened: list[CountingEncoder] = []

    def open_encoder() -> CountingEncoder:
        opened.append(counting)
        return counting

    pieces = PiecesOnDemand(open_encoder, piece_tokens=16)
    assert opened == []
    found = [pieces.embed([EMMA], [1]) for _ in range(2)]

    assert len(opened) == 1
    assert [len(item.embeddings[0]) for item in found] == [2, 2]
    assert found[0].encode_seconds > 0
