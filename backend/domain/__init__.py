"""What the market does: a package for each feature, free of HTTP and Celery."""
