"""Real places: pincodes with coordinates, localities, districts, states."""
