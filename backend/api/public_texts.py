"""Texts of the pages that are read without JavaScript. The application's own are in frontend/src/locales."""

from typing import Final

ENGLISH: Final = {
    "task_title": "{task}: {price} | {market}",
    "task_at_title": "{task} in {place}: {price} | {market}",
    "task_about": "{task} from {price}, about {minutes} minutes. {count} verified professionals. {description}",
    "task_at_about": "{count} verified professionals for {task} in {place}, from {price}. {description}",
    "profile_title": "{name}, {company} | {market}",
    "profile_about": "{company}: {tasks}. {rating}{about}",
    "rated": "Rated {rating} out of 5 in {count} reviews. ",
    "rating": "Rating",
    "out_of": "{rating} out of 5, {count} reviews",
    "out_of_5": "{rating} out of 5",
    "not_rated": "No reviews yet",
    "price": "Price",
    "duration": "Duration",
    "minutes": "{minutes} minutes",
    "professionals": "Professionals",
    "in_place": "in {place}",
    "request": "Request {task}",
    "verified": "Verified",
    "verified_until": "Verified until {date}",
    "experience": "{count} years of experience",
    "done": "{count} tasks completed",
    "area": "Serves {area}",
    "tasks": "Tasks and prices",
    "about": "About {name}",
    "reviews": "Reviews",
    "reply": "Reply from {name}",
    "stars": "{count} stars: {given}",
    "photo": "Photo of {name}",
    "home": "Find a professional",
    # In place of the text of the same name where the count is one
    "task_about_one": "{task} from {price}, about {minutes} minutes. 1 verified professional. {description}",
    "task_at_about_one": "1 verified professional for {task} in {place}, from {price}. {description}",
    "rated_one": "Rated {rating} out of 5 in 1 review. ",
    "out_of_one": "{rating} out of 5, 1 review",
    "experience_one": "1 year of experience",
    "done_one": "1 task completed",
    "stars_one": "1 star: {given}",
}
HINDI: Final = {
    "task_title": "{task}: {price} | {market}",
    "task_at_title": "{place} में {task}: {price} | {market}",
    "task_about": "{task}, {price} से, लगभग {minutes} मिनट। {count} वेरिफ़ाइड प्रोफ़ेशनल। {description}",
    "task_at_about": "{place} में {task} के लिए {count} वेरिफ़ाइड प्रोफ़ेशनल, {price} से। {description}",
    "profile_title": "{name}, {company} | {market}",
    "profile_about": "{company}: {tasks}। {rating}{about}",
    "rated": "{count} रिव्यू में 5 में से {rating} रेटिंग। ",
    "rating": "रेटिंग",
    "out_of": "5 में से {rating}, {count} रिव्यू",
    "out_of_5": "5 में से {rating}",
    "not_rated": "अभी कोई रिव्यू नहीं",
    "price": "दाम",
    "duration": "समय",
    "minutes": "{minutes} मिनट",
    "professionals": "प्रोफ़ेशनल",
    "in_place": "{place} में",
    "request": "{task} की रिक्वेस्ट करें",
    "verified": "वेरिफ़ाइड",
    "verified_until": "{date} तक वेरिफ़ाइड",
    "experience": "{count} साल का अनुभव",
    "done": "{count} काम पूरे",
    "area": "काम का इलाका: {area}",
    "tasks": "काम और दाम",
    "about": "{name} के बारे में",
    "reviews": "रिव्यू",
    "reply": "{name} का जवाब",
    "stars": "{count} स्टार: {given}",
    "photo": "{name} की फ़ोटो",
    "home": "प्रोफ़ेशनल खोजें",
}
TEXTS: Final = {"en": ENGLISH, "hi": HINDI}
LOCALES: Final = {"en": "en_IN", "hi": "hi_IN"}


def say(language: str, key: str, /, **values: object) -> str:
    """Return a text in a language, in the singular where ``count`` is 1 and the language has one."""
    texts, singular = TEXTS[language], f"{key}_one"
    return texts[singular if values.get("count") == 1 and singular in texts else key].format(**values)
