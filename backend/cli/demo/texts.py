"""Names, tasks and texts of the demo, all fictitious."""

from dataclasses import dataclass
from typing import Final

FIRST_NAMES: Final = (
    *("Asha", "Vikram", "Meera", "Rohan", "Kavya", "Arjun", "Lakshmi", "Imran", "Fatima", "Joseph", "Ananya", "Suresh"),
    *("Priya", "Manoj", "Divya", "Gurpreet", "Harini", "Naveen", "Sneha", "Anil", "Pooja", "Karthik", "Zoya", "Deepak"),
    *(
        "Nandini",
        "Rahul",
        "Shreya",
        "Thomas",
        "Revathi",
        "Sanjay",
        "Ishita",
        "Faisal",
        "Geetha",
        "Mohan",
        "Tara",
        "Kiran",
    ),
    *("Bhavna", "Siddharth", "Jyoti", "Prakash", "Leela", "Aditya", "Nisha", "Varun", "Sunita", "Ravi", "Maya", "Dev"),
)
LAST_NAMES: Final = (
    *("Rao", "Nair", "Shah", "Iyer", "Das", "Menon", "Khan", "Reddy", "Patel", "Fernandes", "Kulkarni", "Bose"),
    *(
        "Sharma",
        "Singh",
        "Chatterjee",
        "Pillai",
        "Gupta",
        "Joshi",
        "Verma",
        "Naidu",
        "Ansari",
        "Desai",
        "Mathew",
        "Kaur",
    ),
    *("Banerjee", "Shetty", "Mishra", "Chopra", "Kapoor", "Sen", "Bhat", "Qureshi", "Gowda", "Mehta", "Saxena", "Roy"),
)
STREETS: Final = ("Lake View Road", "Temple Street", "Gandhi Road", "Station Road", "3rd Cross", "Rose Garden Lane")
COMPANIES: Final = (
    "{last} & Sons",
    "{first}'s Home Care",
    "{last} Works",
    "Good Day {last}",
    "{last} Brothers",
    "{first} Repairs",
)
# The first digits of the pincodes of the demo's eight cities.
CITIES: Final = ("5600", "4000", "1100", "6000", "5000", "7000", "4110", "3800")


@dataclass(frozen=True, slots=True)
class Offer:
    """A task of the demo."""

    name: str
    category: str
    price: int
    minutes: int
    picture: str
    about: str
    words: tuple[str, ...] = ()


OFFERS: Final = (
    Offer(
        "Plumbing",
        "Repairs",
        499,
        60,
        "plumbing",
        "Leaking taps, blocked drains and new fittings.",
        ("plumber", "leak"),
    ),
    Offer(
        "Electrical repairs",
        "Repairs",
        449,
        60,
        "electrical",
        "Switches, sockets, fans and short circuits.",
        ("electrician",),
    ),
    Offer(
        "Carpentry",
        "Repairs",
        599,
        90,
        "carpentry",
        "Doors that stick, hinges, shelves and locks.",
        ("carpenter", "wood"),
    ),
    Offer(
        "Air conditioner care",
        "Appliances",
        699,
        90,
        "air-conditioner",
        "Cleaning, gas and cooling problems.",
        ("ac repair",),
    ),
    Offer(
        "Washing machine repair",
        "Appliances",
        549,
        60,
        "appliance",
        "Noise, leaks and drums that do not turn.",
        ("laundry",),
    ),
    Offer("Refrigerator repair", "Appliances", 599, 60, "appliance", "Too warm, too cold, or dripping.", ("fridge",)),
    Offer(
        "Water purifier care", "Appliances", 399, 45, "water", "Filters, membranes and a taste that is right.", ("ro",)
    ),
    Offer(
        "Home cleaning", "Cleaning", 1299, 180, "cleaning", "The whole home, floor to fan.", ("deep cleaning", "maid")
    ),
    Offer("Bathroom cleaning", "Cleaning", 499, 60, "bathroom", "Tiles, taps and corners without stains.", ("toilet",)),
    Offer(
        "Sofa cleaning", "Cleaning", 799, 90, "furniture", "Shampoo and vacuum for five seats.", ("couch", "upholstery")
    ),
    Offer("Kitchen cleaning", "Cleaning", 899, 120, "cooking", "Chimney, hob, cabinets and sink.", ("chimney",)),
    Offer(
        "Painting a room", "Renovation", 3499, 480, "painting", "One room, two coats, furniture covered.", ("painter",)
    ),
    Offer(
        "Furniture assembly",
        "Renovation",
        649,
        90,
        "furniture",
        "Beds, wardrobes and desks put together.",
        ("assemble",),
    ),
    Offer(
        "Pest control",
        "Cleaning",
        1099,
        90,
        "pest-control",
        "Ants, cockroaches and termites.",
        ("cockroach", "termite"),
    ),
    Offer("Gardening", "Garden", 399, 90, "garden", "Pruning, repotting and a lawn cut short.", ("gardener", "plants")),
    Offer("Balcony garden", "Garden", 1499, 180, "garden", "Pots, soil and plants that like your light.", ("plants",)),
    Offer("Cook for a day", "Kitchen", 899, 240, "cooking", "Breakfast, lunch and dinner as you like them.", ("chef",)),
    Offer(
        "Laundry and ironing", "Household", 349, 120, "laundry", "Washed, dried and ironed at your home.", ("clothes",)
    ),
    Offer(
        "Packing and moving",
        "Household",
        4999,
        480,
        "moving",
        "Boxes, hands and a small truck in the city.",
        ("shift",),
    ),
    Offer(
        "Haircut at home",
        "Wellness",
        299,
        45,
        "beauty",
        "For anyone, in front of your own mirror.",
        ("salon", "barber"),
    ),
    Offer("Massage at home", "Wellness", 999, 60, "wellness", "A table, warm oil and an hour of quiet.", ("spa",)),
    Offer(
        "Maths tutoring", "Learning", 599, 60, "tutoring", "For classes 6 to 12, at your table.", ("teacher", "tuition")
    ),
    Offer(
        "Door lock and camera",
        "Security",
        1199,
        120,
        "security",
        "Fitting, wiring and a lesson how to use it.",
        ("cctv",),
    ),
    Offer("Water tank cleaning", "Cleaning", 899, 120, "water", "Emptied, scrubbed and disinfected.", ("tank", "sump")),
)
REMARKS: Final = (
    "",
    "Please bring a ladder, the ceiling is high.",
    "The bell does not work, call me when you are at the gate.",
    "We have a friendly dog.",
    "Parking is behind the building.",
    "It worked until last week.",
    "Second floor, no lift.",
    "Please wear shoe covers, there is a baby in the house.",
)
CLOSING: Final = (
    "",
    "All done, thank you.",
    "Works again.",
    "Clean and on time.",
    "Left one spare part with the customer.",
)
COMMENTS: Final[dict[int, tuple[str, ...]]] = {
    5: (
        "Quick, careful and friendly.",
        "Came on time and cleaned up after the work.",
        "Explained what was wrong. Excellent.",
    ),
    4: ("Good work, came a little late.", "Solid. The second visit was not needed.", "Nice person, fair price."),
    3: ("Works, but it took long.", "All right, though dust was left behind."),
    2: ("Had to call twice before someone came.", "The problem came back after two days."),
    1: ("Did not listen to what I asked for.",),
}
REPLIES: Final = (
    "Thank you, glad it works.",
    "It was a pleasure.",
    "Sorry for the delay, traffic was bad.",
    "Call any time.",
)
REJECTIONS: Final = ("Too far for that day", "The part is not in stock", "I am away that week")
RELEASES: Final = ("My scooter broke down", "Another job takes longer than planned", "I am down with fever")
CANCELLATIONS: Final = (
    "Plans changed",
    "A neighbour could help",
    "We are travelling after all",
    "It works again by itself",
)

ABOUTS: Final = (
    "{years} years in {task}. I explain what is wrong, agree the price with you, and clean up before I leave.",
    "A family business with {years} years of experience, mostly in {task}.\n\nWe bring tools and common spare parts.",
    "Punctual, tidy and fairly priced. Most of my work is {task}. I guarantee what I repair for 30 days.",
    "Trained in {task}, {years} years on the job. I speak English, Hindi and Kannada. Small jobs are welcome too.",
    "I started as an apprentice in {task} and now run a team of three. Most work is finished in one day.",
)

# Categories whose prices, start codes and checklists show those parts of the product.
QUOTED: Final = ("Painting a room", "Packing and moving", "Carpentry", "Door lock and camera")
WITH_CODE: Final = ("Repairs", "Appliances", "Security")
# Text, and whether the point needs a photo.
CHECKLISTS: Final[dict[str, tuple[tuple[str, bool], ...]]] = {
    "Cleaning": (("Floor swept and wiped", False), ("Taps and tiles dried", False), ("Picture of the room", True)),
    "Appliances": (("Power switched off first", False), ("Old parts shown to the customer", False)),
}
OFFER_NOTES: Final = (
    "Includes material and taking the rubbish with us.",
    "Two of us come, so it is done in one day.",
    "Price is for labour, paint at cost with the bill.",
    "I can come an hour earlier if that suits you.",
)
TALKS: Final = (
    ("Is there anything I should prepare?", "Please clear the space around it, that is all."),
    (
        "Can you bring the spare part?",
        "Yes, I have the common ones with me. If it is another, I show you the price first.",
    ),
    ("The lift is being repaired, it is the fourth floor.", "No problem, thank you for letting me know."),
    ("How long will it take?", "About an hour. I write if it turns out to be more."),
    ("Please knock, the bell is weak.", "I will."),
    ("Do you take UPI?", "Yes, or cash, as you like."),
)
REPORTED: Final = "The professional asked me to pay outside the app."
EXTRA_WORK: Final = (
    ("material", "New tap, brass", "450.00"),
    ("material", "Sealing tape and two washers", "80.00"),
    ("extra", "Second room", "600.00"),
    ("extra", "Old part removed and taken along", "150.00"),
    ("discount", "Came later than agreed", "50.00"),
)
