"""One page of HTML that shows what an evaluation found; knows nothing of how it was measured."""
