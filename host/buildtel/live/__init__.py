"""What is under way, below Packer's scrolling output: builds, phases, gauges; gone without a trace at the end."""
