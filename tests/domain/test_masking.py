"""What is hidden in messages as contact details, and what is not: prices, times, dates, sizes and pincodes stay."""

import time
from typing import Final

import pytest

from backend.domain.conversations.masking import HIDDEN, mask

HIDDEN_TEXTS: Final = (
    "Call me on 9876543210",
    "98765 43210",
    "98765-43210",
    "+91 98765 43210",
    "+91-9876543210",
    "0091 98765 43210",
    "09876543210",
    "9 8 7 6 5 4 3 2 1 0",
    "9.8.7.6.5.4.3.2.1.0",
    "9-8-7-6-5-4-3-2-1-0",
    "(987) 654-3210",
    "9876 543 210",
    "98 76 54 32 10",
    "9_8_7_6_5_4_3_2_1_0",
    "९८७६५४३२१०",
    "\uff19\uff18\uff17\uff16\uff15\uff14\uff13\uff12\uff11\uff10",
    "9\u200b8765\u200b43210",
    "9\ufe0f\u20e38\ufe0f\u20e37\ufe0f\u20e36\ufe0f\u20e35\ufe0f\u20e34\ufe0f\u20e33\ufe0f\u20e32\ufe0f\u20e31\ufe0f\u20e30\ufe0f\u20e3",
    "nine eight seven six five four three two one zero",
    "Nine-Eight-Seven-Six-Five-Four-Three-Two-One-Zero",
    "nineeightsevensixfivefourthreetwoonezero",
    "nine 8 seven 6 five 4 three 2 one 0",
    "double nine 8 7 6 5 4 3 2 1 0",
    "नौ आठ सात छह पाँच चार तीन दो एक शून्य",
    "nau aath saat chhe paanch char teen do ek shunya",
    "नौ eight 7 छह five 4 तीन दो 1 zero",
    "98765 4321o",
    "98765, 43210",
    "987, 654, 3210",
    "9,8,7,6,5,4,3,2,1,0",
    "98765\n43210",
    "080 2345 6789",
    "080-23456789",
    "+1 212 555 0123",
    "+44 20 7946 0958",
    "ninety eight seventy six fifty four thirty two ten",
    "triple nine eight seven six five four three two",
    "98/76/54/32/10",
    "9:8:7:6:5:4:3:2:1:0",
    "asha@example.com",
    "asha.rao+home@mail.example.co.in",
    "asha @ gmail . com",
    "asha(at)gmail(dot)com",
    "asha at gmail dot com",
    "asha [at] example [dot] org",
    "asha at gmail.com",
    "gmail: asha@gmail",
    "https://asha.example/pay",
    "www.asha-paints.in",
    "asha-paints.com",
    "visit asha.co.in/offers",
    "wa.me/919876543210",
    "t.me/asha",
    "asha dot com",
    "upi://pay?pa=asha@okaxis",
    "9876543210@paytm",
    "asha@okhdfcbank",
    "asha@ybl",
    "asha @ oksbi",
    "asha at paytm",
    "whatsapp:9876543210",
    "Asha@Example.COM",
    "pincode 560001 call 98765 43210",
    "9876543210 at 10:30",
    "98765 . 43210",
    "my no is 98765****43210",
    "9876543210/9876543211",
    "call 98765 43210 on 25/12/2026",
    "double nine 8 7 6 5 4 3 2 1",
    "1239876543210",
    "12345987654321012345",
    "call +91 98765 43210",
    "(080) 2345 6789",
    "९८७६५ ४३२१०",
    "9876543210",
    "asha[at]okaxis",
    "Instagram.com/asha",
    "HTTP://EVIL.EXAMPLE/x",
    "ASHA.COM",
)
KEPT_TEXTS: Final = (
    "The price is \u20b91,200",
    "Rs. 1200",
    "Rs 12,34,567.50",
    "1200/-",
    "INR 2500",
    "2500 rupees",
    "\u20b99,876",
    "\u20b91,200 + \u20b92,500 + \u20b91,800",
    "between 10:30 and 12:45",
    "10:30 - 12:45",
    "10:30",
    "10.30 am",
    "at 9 or 10",
    "9:00 to 18:00",
    "560001",
    "PIN 560001, Bengaluru",
    "560001, 560002, 560003",
    "560001 560002",
    "25/12/2026",
    "25-12-2026 10:30",
    "2026-12-25 10:30",
    "2026-12-25T10:30",
    "25.12.2026",
    "2.5 x 3 m",
    "1200 x 1800 mm",
    "1200x1800x25",
    "10 x 12 x 9 ft",
    "12 by 14",
    "3 bedrooms, 2 bathrooms, 1 kitchen",
    "2 fans 3 lights 4 switches",
    "flat 1204, block 12, floor 3",
    "House 12/4/567",
    "4th floor, flat 402",
    "5.5 kg",
    "220 V 50 Hz 1500 W",
    "100, 200, 300, 400",
    "1 2 3 4 5",
    "one or two",
    "I have two do you have three",
    "do you need it at one",
    "meet me at home. In the morning",
    "It is broken.In the kitchen",
    "see you at 5 pm.",
    "2 @ 500 each",
    "10 @ \u20b950",
    "Running 10 minutes late",
    "order 1234567",
    "request 12345",
    "model WA70H4200",
    "serial AB-1234-5678",
    "1,00,000 and 2,50,000",
    "between 70000 and 80000",
    "500 1000 1500",
    "24x7",
    "e.g. the tap",
    "i.e. both",
    "v2.5.1",
    "12.5 litres",
    "one two three go",
    "double bed and triple lock",
    "नौ बजे आइए",
    "दो पंखे और तीन बत्तियाँ",
    "\u20b9\u0967,\u0968\u0966\u0966",
    "सुबह 10:30 बजे",
    "size 2.5 \u00d7 3",
    "no. 42",
    "8 to 10 days, 3 to 4 people",
    "Year 2026, 2027 and 2028",
    "AC 1.5 ton, 2 units",
    "@home",
    "asha @ work",
    "3/4 inch pipe 20 mm",
    "15 mm, 20 mm, 25 mm, 32 mm pipes",
    "12:30:45",
    "total 4500 (2500 + 2000)",
    "1500+500+250",
    "Mon 10-12, Tue 14-16, Wed 9-11",
    "10-12-14-16",
    "4500+12000+3500",
    "size 2500 300 400",
    "Open.In 2 days",
    "123456789",
    "a 1.5 x 2 x 0.75 m shelf",
    "1/2 inch and 3/4 inch",
    "flat no. 12-34-567",
)
REST: Final = {
    "Call me on 98765 43210 after 10:30": f"Call me on {HIDDEN} after 10:30",
    "Pay \u20b91,200 to asha@okaxis, PIN 560001": f"Pay \u20b91,200 to {HIDDEN}, PIN 560001",
    "call +91 98765 43210 on 25/12/2026": f"call {HIDDEN} on 25/12/2026",
    "9876543210/9876543211": f"{HIDDEN}/{HIDDEN}",
    "My number: (080) 2345 6789.": f"My number: {HIDDEN}.",
    "nine eight seven six five four three two one zero, ask for Asha": f"{HIDDEN}, ask for Asha",
}
LONGEST: Final = {
    "digits": "9 " * 1000,
    "one number": "1234567890" * 200,
    "words": "nine " * 400,
    "at signs": "a@" * 1000,
    "dots": "a." * 1000,
    "dashes": "-" * 2000,
    "letters": "w" * 1999 + "@",
    "commas": "1," * 1000,
    "sizes": "1x" * 1000,
    "spaces": " " * 1999 + "@",
}


@pytest.mark.parametrize("text", HIDDEN_TEXTS)
def test_mask_of_contact_details_hides_them(text: str) -> None:
    masked = mask(text, region="IN")
    assert masked.is_masked
    assert HIDDEN in masked.text
    assert sum(character.isdigit() for character in masked.text) <= 8, "a date or pincode may be left"


@pytest.mark.parametrize("text", KEPT_TEXTS)
def test_mask_of_prices_times_dates_and_sizes_leaves_them(text: str) -> None:
    assert mask(text, region="IN") == (text, False)


@pytest.mark.parametrize(("text", "shown"), REST.items())
def test_mask_hides_no_more_than_contact_details(text: str, shown: str) -> None:
    assert mask(text, region="IN") == (shown, True)


def test_mask_reads_numbers_of_the_region() -> None:
    assert mask("Call 212-555-2368", region="US").is_masked
    assert not mask("Call 212-555-2368", region="IN").is_masked
    assert mask("Call +1 212-555-2368", region="IN").is_masked


@pytest.mark.parametrize("text", LONGEST.values(), ids=LONGEST.keys())
def test_mask_of_longest_text_takes_a_fraction_of_a_second(text: str) -> None:
    began = time.process_time()
    mask(text[:2000], region="IN")
    assert time.process_time() - began < 0.5
