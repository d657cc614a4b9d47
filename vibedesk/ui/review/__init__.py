"""Looking at changes: diffs of texts, and what a model wrote anew, taken over hunk by hunk."""
