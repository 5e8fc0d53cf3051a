"""Where the outside comes in: parse, call the engine, answer. Nothing else."""
