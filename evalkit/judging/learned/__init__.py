"""A small linear model over the words of an answer, learned from labelled texts of our own."""
