"""Commands for a terminal, one a file: what is worth doing where Slack is not, or before it is."""
