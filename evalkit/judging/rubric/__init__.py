"""The ``rubric`` judge: asks a model, shows it the case fenced, and reads its reply strictly."""
