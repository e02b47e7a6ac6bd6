"""A whole bot in simulated time: its own code on an event loop, an engine, a Slack, scripts and people that one seed
decides. `python -m tests.simulation --seed 7` shows what happens in a seed."""
