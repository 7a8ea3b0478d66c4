"""Working hours, free time slots, and a professional's agenda."""
