"""Small trainings that really train, well or badly on purpose."""
