"""The model host: one process that owns the device, and how to reach it."""
