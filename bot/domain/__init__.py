"""The words of the system as types. Pure: no I/O, no clock, no third-party client."""
