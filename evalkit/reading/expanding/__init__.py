"""A template crossed with named lists: one entry of a probe file becomes many probes."""
