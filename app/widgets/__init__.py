"""Small drawing pieces used by several views: colour maps, colour bar, focus ring, quality strip."""
