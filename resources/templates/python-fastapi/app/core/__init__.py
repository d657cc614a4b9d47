"""What every page rests on: database, accounts, rendering."""
