"""Reviews of finished requests, and the ratings made of them."""
