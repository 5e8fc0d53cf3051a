"""Read-only questions, one file per kind of outside system. A runbook is put together from these."""
