"""The practice chain: the real anvil, the protocol's practice contracts on it, and the ways both can be broken."""

from bot.drill.chain.chain import Chain

__all__ = ["Chain"]
