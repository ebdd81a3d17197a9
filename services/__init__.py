"""The two services, their chassis and the command that runs them."""
