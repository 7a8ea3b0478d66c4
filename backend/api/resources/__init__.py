"""Flask-RESTful resources, a module for each feature."""
