"""Witnesses of logs (C2SP tlog-witness 1.0.0): asking one, and being one; it knows no register."""
