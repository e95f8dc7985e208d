"""What is looked at before a target of the local engine is asked anything; one file a group of checks."""
