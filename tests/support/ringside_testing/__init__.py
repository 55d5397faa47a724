"""What the integration tests and drills stand on: processes, ports, an app, load, a ring. Standard library only."""
