"""What an import keeps on disk while it runs: outcomes, lines, and rows that wait."""
