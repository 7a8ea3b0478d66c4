"""All that is known of a request in one view, for admins: as data, and as a PDF of evidence."""
