"""Response bodies that several resources share."""
