"""The built-in set of pictures that a task can be shown with (files of the web application)."""

from typing import Final

PICTURES: Final = (
    "air-conditioner",
    "appliance",
    "bathroom",
    "beauty",
    "carpentry",
    "cleaning",
    "cooking",
    "electrical",
    "furniture",
    "garden",
    "home",
    "laundry",
    "moving",
    "painting",
    "pest-control",
    "plumbing",
    "security",
    "tutoring",
    "water",
    "wellness",
)
