"""What nodes say to one another so that a room has members on many of them: letters, and the machines behind them."""
