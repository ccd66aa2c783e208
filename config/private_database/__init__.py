"""Django's PostgreSQL backend over the private server: connecting starts or joins it."""
