"""Password hashing, signing keys, actors and roles, and client networks for rate limits."""
