"""Instructions to restate a passage, one of which is drawn for each example.

Paraphrase pretraining (arXiv 2405.13792, section 3.3) shows the projector many wordings, so that
a soft token comes to mean the passage and not the answer to one instruction. These are our own.
"""

PARAPHRASE_INSTRUCTIONS = (
    "Background: {passage}\n\nThe background in other words:",
    "{passage}\n\nRestate the passage above.",
    "Passage: {passage}\n\nWrite the passage out in full.",
    "Here is a passage: {passage}\n\nWhat does it say?",
    "Read this: {passage}\n\nNow say the same in words.",
    "Background: {passage}\n\nGive the content of the background.",
    "{passage}\n\nPut the text above into plain words.",
    "Text: {passage}\n\nExplain what the text states.",
    "Someone noted this down: {passage}\n\nUnfold the note into a paragraph.",
    "Document: {passage}\n\nTell me all that the document tells.",
    "Consider this source: {passage}\n\nReport what the source says.",
    "Background: {passage}\n\nRewrite the background as a short article.",
    "This stands for a paragraph: {passage}\n\nWrite that paragraph.",
    "Reference: {passage}\n\nWhat is the reference about? Answer with its content.",
    "{passage}\n\nIn other words:",
    "Excerpt: {passage}\n\nRender the excerpt as text.",
)
"""Each holds `{passage}` once, where the soft token stands."""
