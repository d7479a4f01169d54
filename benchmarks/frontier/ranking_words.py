"""Scores of sentences for a question, and of words for their passage: BM25 and TF-IDF.

Knows nothing of prompts.
"""

import re
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from xorag.types import FloatArray, Passage

K1, B = 1.2, 0.75
"""Of BM25, as Lucene sets them."""
_PATTERN = r"(?u)\b\w+\b"
_WORD = re.compile(_PATTERN)


def bm25(question: str, texts: Sequence[str]) -> FloatArray:
    """Okapi BM25 of texts for a question, `(texts,)`, counted among these texts alone.

    Source: Robertson and Zaragoza, 2009, *The Probabilistic Relevance Framework*, section 3.3, with
    Lucene's inverse document frequency, which is never negative.
    """
    counter = CountVectorizer(token_pattern=_PATTERN)
    tf = counter.fit_transform(texts).toarray().astype(np.float64)
    asked = counter.transform([question]).toarray()[0] > 0
    n, n_with = len(texts), (tf > 0).sum(axis=0)
    idf = np.log(1 + (n - n_with + 0.5) / (n_with + 0.5))
    lengths = tf.sum(axis=1, keepdims=True)
    norm = K1 * (1 - B + B * lengths / max(1e-9, lengths.mean()))
    scores: FloatArray = (idf * tf * (K1 + 1) / (tf + norm))[:, asked].sum(axis=1)
    return scores


class TfIdfWords:
    """How much each word of a passage tells of it: its TF-IDF weight there."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Count in how many of some texts each word stands."""
        self._vectorizer = TfidfVectorizer(token_pattern=_PATTERN).fit(texts)

    def __call__(self, passage: Passage) -> list[float]:
        """Of the words that white space parts, the weights; of several in one the highest.

        A word that no text has is worth as much as the rarest that one has.
        """
        vector = self._vectorizer
        weights = vector.transform([passage.text])
        by_word = dict(zip(weights.indices.tolist(), weights.data.tolist(), strict=True))
        unknown = max(by_word.values(), default=0.0)
        return [
            max(
                (
                    by_word[vector.vocabulary_[part]] if part in vector.vocabulary_ else unknown
                    for part in _WORD.findall(word.lower())
                ),
                default=0.0,
            )
            for word in passage.text.split()
        ]
