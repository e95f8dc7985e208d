"""The Instrument Trap's published rule judge, reproduced with its quirks."""
