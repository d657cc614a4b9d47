"""Which files go into a request: by imports, words, marks and age, within a budget, and a map of the others."""
