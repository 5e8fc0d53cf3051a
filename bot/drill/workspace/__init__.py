"""A Slack workspace on this machine: Web API, Socket Mode, and doors for the people in it."""

from bot.drill.workspace.server import Workspace

__all__ = ["Workspace"]
