"""From the user's YAML to the nouns, every mistake with its file, line and field."""
