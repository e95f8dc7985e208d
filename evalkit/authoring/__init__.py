"""What can be said of probes by reading them alone: likeness, sameness of frame, lengths, gaps, overlap."""
