"""The program: settings, composition, processes, the command line, the demo, the local workspace."""
