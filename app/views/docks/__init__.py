"""What can be docked around the pages."""
