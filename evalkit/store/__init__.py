"""The store: what was generated, which runs were made, what they came to."""
