"""What the agents measured: their records checked, counted and put together, their clocks, samples and figures."""
