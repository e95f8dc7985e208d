"""Engines that ask a server over the network, with retries, prices and a limit on what is spent."""
