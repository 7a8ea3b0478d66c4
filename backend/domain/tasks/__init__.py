"""Tasks that customers can request."""
