"""Small nets that know the order of words, one module for each language; made by benchmarks/sentence_net.py."""
