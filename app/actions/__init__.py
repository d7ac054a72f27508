"""Commands as data, and the board that makes QActions of them."""
