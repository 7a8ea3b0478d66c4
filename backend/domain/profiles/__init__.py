"""Public profiles of professionals: what everyone may read of them, and the photo that admins decide on."""
