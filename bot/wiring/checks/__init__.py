"""What `musd-bot doctor` asks of each outside system, a file a system: questions only, nothing is changed or sent."""
