"""The bot: `wiring.py` builds it, `__main__.py` is its table of contents, `engine/` is what it does."""
