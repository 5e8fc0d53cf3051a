"""The practice world: stand-ins for every outside system, spoken to over the network by the real clients.

Nothing in production imports this package, and it imports nothing of the bot: the bot is started as a
process of its own, with its usual settings pointing here.
"""
