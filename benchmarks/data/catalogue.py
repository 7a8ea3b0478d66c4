"""Three hundred tasks in twenty categories."""

from random import Random
from typing import Final

CATEGORIES: Final = {
    "Plumbing": ("Tap", "Sink", "Toilet", "Shower", "Water tank", "Drain pipe", "Geyser", "Washbasin"),
    "Electrical": ("Ceiling fan", "Switchboard", "Inverter", "Doorbell", "Light fitting", "Wiring", "Fuse box", "Socket"),
    "Cooling": ("Air conditioner", "Air cooler", "Refrigerator", "Deep freezer", "Exhaust fan", "Water cooler"),
    "Appliances": ("Washing machine", "Microwave", "Dishwasher", "Chimney", "Mixer grinder", "Television", "Oven"),
    "Cleaning": ("Sofa", "Kitchen", "Bathroom", "Carpet", "Window", "Mattress", "Balcony", "Full home"),
    "Carpentry": ("Door", "Wardrobe", "Bed", "Table", "Shelf", "Window frame", "Cupboard", "Chair"),
    "Painting": ("Wall", "Ceiling", "Gate", "Fence", "Terrace", "Room", "Grille", "Exterior"),
    "Pest control": ("Cockroach", "Termite", "Mosquito", "Bed bug", "Rat", "Ant", "Lizard"),
    "Beauty": ("Haircut", "Facial", "Manicure", "Pedicure", "Bridal make-up", "Mehndi", "Waxing"),
    "Wellness": ("Massage", "Yoga", "Physiotherapy", "Dietician", "Reiki", "Meditation"),
    "Garden": ("Lawn", "Hedge", "Terrace garden", "Plant", "Tree", "Irrigation", "Compost"),
    "Moving": ("House", "Office", "Piano", "Car", "Bike", "Furniture", "Fragile goods"),
    "Security": ("Camera", "Lock", "Intercom", "Alarm", "Video door phone", "Safe"),
    "Computers": ("Laptop", "Printer", "Router", "Desktop", "Data recovery", "Smart speaker"),
    "Lessons": ("Guitar", "Mathematics", "English", "Dance", "Drawing", "Cooking", "Tabla"),
    "Care": ("Elder", "Baby", "Pet", "Patient", "Newborn", "Dog walking"),
    "Cooking": ("Home chef", "Party cook", "Tiffin", "Baker", "Bartender", "Barbecue"),
    "Laundry": ("Ironing", "Dry cleaning", "Curtain", "Shoe", "Blanket", "Saree rolling"),
    "Construction": ("Tile", "Waterproofing", "False ceiling", "Mason", "Plaster", "Granite", "Demolition"),
    "Vehicles": ("Car wash", "Car battery", "Bike", "Tyre", "Denting", "Car detailing"),
}
VERBS: Final = ("repair", "installation", "cleaning", "inspection", "replacement", "maintenance", "consultation")
SYNONYMS: Final = (
    ("ac repair", "air conditioner service", "air conditioner repair"),
    ("fridge", "refrigerator"),
    ("tv", "television"),
    ("plumber", "plumbing"),
    ("wifi", "router"),
)


def tasks(number: int, dice: Random) -> list[tuple[str, str, int, int]]:
    """Names, categories, prices and minutes."""
    rows: list[tuple[str, str, int, int]] = []
    pairs = [(category, thing, verb) for category, things in CATEGORIES.items() for thing in things for verb in VERBS]
    dice.shuffle(pairs)
    for category, thing, verb in pairs[:number]:
        rows.append((f"{thing} {verb}", category, dice.randrange(99, 4999, 50), dice.choice((30, 45, 60, 90, 120, 240))))
    return sorted(rows, key=lambda row: row[1])
