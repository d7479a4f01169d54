"""Ways to encode the documents of an index: here, in processes of this machine, or on Ray."""
