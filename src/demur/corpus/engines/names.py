"""The engines by name."""

from typing import Final

LOCAL: Final = "local"
RAY: Final = "ray"
SPARK: Final = "spark"
ENGINES: Final = (LOCAL, RAY, SPARK)
