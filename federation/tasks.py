"""What Celery runs for the federation. A task carries an id at most; what is to be done stands in the database."""
