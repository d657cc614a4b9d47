"""What is wrong with the app: the list in the dock, and what is known of each problem."""
