"""The runner's own steps, measured by the agent's code; kept on disk between the shells of a CI job."""
