"""Files shipped with the program, each with its licence and the command that made it."""
