"""What a run found, told to people: pure text, no files except where exports are written."""
