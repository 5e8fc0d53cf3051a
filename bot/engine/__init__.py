"""What happens, in what order, and what survives a crash: plain `async def` over ports, with steps that are durable.

`triage` takes Signals in, `response` answers an incident, `diagnosis` asks the probes, `proposals` counts votes,
`execution` carries out what was approved, `followup` ends it. `durable` is the one door to the library underneath.
"""
