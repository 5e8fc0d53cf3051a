"""What the bot does on Canton's ledger: asking its guardians, and carrying out what they decided."""
