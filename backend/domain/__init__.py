"""The business rules: one package per feature, without HTTP and Celery."""
