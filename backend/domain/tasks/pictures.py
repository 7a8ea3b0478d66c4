"""The built-in pictures of tasks (files of the web application)."""

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
