"""What a run needs and whether it is here, found out without running anything and without the network."""
