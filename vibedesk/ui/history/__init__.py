"""The page of kept versions."""
