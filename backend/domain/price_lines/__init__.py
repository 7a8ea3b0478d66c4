"""Price lines: extra work, material and discounts beside the agreed price of a request."""
