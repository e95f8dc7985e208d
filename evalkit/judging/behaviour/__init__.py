"""The behaviour judge: how answers are read, and a rule for each Instrument Trap category."""
