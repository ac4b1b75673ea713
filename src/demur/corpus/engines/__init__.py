"""Where the kernel runs for an import: on this machine, on Ray, or on Spark."""
