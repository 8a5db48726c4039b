"""The five systems as objects that decide, and the autopilot that runs them on paper. Pure."""
