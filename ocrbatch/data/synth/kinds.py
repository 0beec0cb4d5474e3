"""Single kinds of text: prices, dates, codes, names, addresses ... Every function is pure but for the generator given.

``word`` arguments are functions that give one more word of the language at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from ocrbatch.charset import NAMED

Rng = np.random.Generator
Word = Callable[[], str]
T = TypeVar("T")


def listed(text: str) -> list[str]:
    """The parts of a text that ``|`` separates."""
    return text.split("|")


_MONTHS = listed("January|February|March|April|May|June|July|August|September|October|November|December")
_DAYS = listed("Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday")
_CURRENCIES = listed(
    "$|€|£|¥|₹|¢|RM|Rs.|Rs|EUR|USD|GBP|CHF|kr|zł|Kč|Ft|R$|S$|HK$|A$|C$|US$|MYR|SGD|INR|PLN|CZK|SEK|NOK|DKK"
)
LABELS = listed(
    "Total|Subtotal|Sub Total|Sub-Total|Grand Total|Total Due|Amount Due|Net|Gross|Tax|VAT|GST|"
    "GST Amt|Service Charge|Rounding|Rounding Adj|Discount|Change|Cash|Cash Tendered|Card|Visa|"
    "Mastercard|Balance|Qty|Item|Items|Description|Unit Price|U.Price|Price|Amount|Amt(RM)|Date|"
    "Time|Invoice|Invoice No|Invoice Date|Receipt|Receipt #|Receipt No|Bill No|Order|Order No|"
    "Table|Table No|Cashier|Server|Clerk|Operator|Terminal|Ref|Ref No|Auth Code|Approval Code|"
    "Member|Customer|Customer No|Account|Account No|Tel|Phone|Fax|Email|E-mail|Web|Address|Name|"
    "Company|Reg No|Tax ID|VAT No|GST ID No|GST Reg No|IBAN|BIC|Due Date|Terms|Your Ref|"
    "Our Ref|Page|Subject|Re|From|To|Attn|Ship To|Bill To|Sold To|Signature|Approved By|"
    "Remarks|Notes|Quantity|Weight|Points|Tip|Doc No|Document No|Salesperson|Sales Person|POS|"
    "Station|Store|Shift|Trans|Pax|Pump|Vehicle No|Date of Birth|Nationality|Occupation|Telephone|"
    "Mobile|City|State|Country|Zip Code|Postcode|Male|Female|Yes|No|Other|Single|Married"
)
_LEGAL = listed(
    "Ltd|Ltd.|Limited|Inc|Inc.|LLC|PLC|GmbH|AG|S.A.|SARL|B.V.|Oy|AB|A/S|Sdn Bhd|SDN. BHD.|"
    "Pte Ltd|Pty Ltd|Corp.|Co.|& Co.|& Sons|Group|Bros.|Enterprise|Trading"
)
STREETS = listed(
    "Street|St.|Road|Rd|Avenue|Ave|Lane|Drive|Blvd|Square|Way|Court|Close|Jalan|Strasse|rue|via|Place|Hill|Park"
)
_UNITS = listed("kg|g|mg|l|ml|cm|mm|m|km|pcs|pc|pkt|box|oz|lb|in|ft|ea|btl|ctn|m²|m³|°C|kW|V|W|GB|MB|h|min")
_TOPS = listed("com|org|net|co.uk|de|fr|io|eu|com.my|edu|gov|info|it|es|nl")
_BETWEEN = (": ", ": ", ": ", " : ", " : ", ":", " :", " ", " # ", " = ", ". ")
_PAIRS = ('""', '""', *listed("''|()|()|()|[]|“”|‘’|«»|{}|<>|**|„“|--|//|``"))
_DASHES = ("-", "–", "—")


def pick(rng: Rng, options: Sequence[T]) -> T:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def digits(rng: Rng, count: int = 0) -> str:
    """A run of ``count`` digits, of 4 to 16 when 0."""
    count = count or int(rng.integers(4, 17))
    return "".join(map(str, rng.integers(0, 10, count)))


def _magnitude(rng: Rng) -> int:
    """A whole number whose length is about even between one and six digits."""
    return int(10 ** rng.uniform(0, rng.choice([2, 3, 4, 6])))


def number(rng: Rng) -> str:
    """A number: whole, with decimals, grouped, signed, in parentheses, a fraction or an exponent."""
    value = _magnitude(rng)
    form = int(rng.integers(0, 12))
    grouped = f"{value:,}"
    cents = digits(rng, int(rng.choice([1, 2, 2, 2, 3])))
    forms = (
        str(value), str(value), f"{value}.{cents}", f"{grouped}.{cents}", grouped, f"{value},{cents}",
        f"{grouped.replace(',', '.')},{cents}", grouped.replace(",", " "), f"-{value}.{cents}",
        f"({grouped}.{cents})", f"{value}/{int(rng.integers(2, 100))}",
        f"{value % 10}.{cents}e-{int(rng.integers(1, 12))}",
    )  # fmt: skip
    return forms[form]


def amount(rng: Rng) -> str:
    """A sum of money without its currency: two decimals."""
    value, cents = _magnitude(rng), f"{int(rng.choice([int(rng.integers(100)), 0, 50, 90, 95, 99])):02d}"
    kind = rng.random()
    if kind < 0.75:
        return f"{value:,}.{cents}" if kind < 0.5 else f"{value}.{cents}"
    return f"{value:,}".replace(",", ".") + f",{cents}" if kind < 0.93 else f"{value},{cents}"


def price(rng: Rng) -> str:
    """A sum of money in one of many forms, often with a currency, a sign or a tax letter."""
    text = amount(rng)
    kind = rng.random()
    if kind < 0.3:
        return text
    currency = pick(rng, _CURRENCIES[:6]) if rng.random() < 0.6 else pick(rng, _CURRENCIES)
    if kind < 0.55:
        return currency + text
    if kind < 0.68:
        return f"{currency} {text}"
    if kind < 0.78:
        return f"{text} {currency}"
    if kind < 0.84:
        return f"{text}{pick(rng, [' A', ' B', ' T', ' S', ' SR', ' ZRL', '*', '-', ' -', 'T', 'F', ' TX', ' #', '%'])}"
    if kind < 0.9:
        return f"-{currency}{text}"
    if kind < 0.94:
        return f"({currency}{text})"
    return f"{int(rng.integers(1, 30))} {pick(rng, ['x', 'X', '@', '*', '×'])} {text}"


def date(rng: Rng) -> str:
    """A date in one of many forms."""
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1950, 2036))
    name, weekday, mark = _MONTHS[month - 1], pick(rng, _DAYS), pick(rng, "///--..")
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day // 10 != 1 else 0, "th")
    forms = (
        f"{day:02d}{mark}{month:02d}{mark}{year}", f"{day:02d}{mark}{month:02d}{mark}{year}",
        f"{month}{mark}{day}{mark}{year % 100:02d}", f"{year}{mark}{month:02d}{mark}{day:02d}",
        f"{day:02d}{mark}{month:02d}{mark}{year % 100:02d}", f"{day} {name[:3]} {year}", f"{day}-{name[:3]}-{year}",
        f"{name} {day}, {year}", f"{name[:3]}. {day}, {year}", f"{day} {name} {year}",
        f"{weekday}, {name} {day}, {year}", f"{weekday[:3]} {day:02d}/{month:02d}/{year}",
        f"{day}{ending} {name} {year}", f"{day}. {name} {year}", f"{name} {year}", f"{name[:3]} '{year % 100:02d}",
        f"{name[:3]} {day:02d} {year}", f"{year}{month:02d}{day:02d}",
    )  # fmt: skip
    return pick(rng, forms)


def time(rng: Rng) -> str:
    """A time of day or a span of time."""
    hour, minute, second = int(rng.integers(0, 24)), int(rng.integers(0, 60)), int(rng.integers(0, 60))
    half = pick(rng, ["AM", "PM", "am", "pm", "a.m.", "p.m."])
    forms = (
        f"{hour:02d}:{minute:02d}", f"{hour:02d}:{minute:02d}:{second:02d}", f"{hour % 12 + 1}:{minute:02d} {half}",
        f"{hour:02d}:{minute:02d}{half}", f"{hour % 12 + 1:02d}:{minute:02d}:{second:02d} {half}",
        f"{hour}.{minute:02d}", f"{hour}h{minute:02d}",
        f"{hour:02d}:{minute:02d} - {(hour + 8) % 24:02d}:{second:02d}",
    )  # fmt: skip
    return pick(rng, forms)


def date_time(rng: Rng) -> str:
    """A date and a time."""
    return f"{date(rng)}{pick(rng, [' ', ' ', ', ', ' / ', ' @ '])}{time(rng)}"


def code(rng: Rng) -> str:
    """A reference, invoice number, serial number, tax number, masked card number or the like."""
    letters = "".join(pick(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(int(rng.integers(1, 5))))
    n = int(rng.integers(2, 8))
    forms = (
        f"{letters}{digits(rng, n)}", f"{letters}-{digits(rng, n)}", f"#{digits(rng, n)}",
        f"{letters}/{digits(rng, 4)}/{digits(rng, 2)}", f"{digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 4)}",
        f"{letters}{digits(rng, 2)}{letters[::-1]}{digits(rng, 3)}", f"{digits(rng, 6)}-{letters[0]}",
        f"({digits(rng, 6)}-{letters[0]})", f"{'*' * 4} {'*' * 4} {'*' * 4} {digits(rng, 4)}",
        f"{'X' * 12}{digits(rng, 4)}", f"{digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)}",
        f"{letters[:2]}{digits(rng, 2)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)}",
        f"{letters}_{digits(rng, n)}", f"{letters.lower()}{digits(rng, n)}", f"[{letters}{digits(rng, n)}]",
        f"<{letters}-{digits(rng, 3)}>", f"{digits(rng, n)}/{digits(rng, 2)}", f"{int(rng.integers(2**32)):08x}",
        f"{int(rng.integers(2**31)):X}", f"No. {digits(rng, n)}", f"No.{digits(rng, n)}", f"NO:{digits(rng, n)}",
    )  # fmt: skip
    return pick(rng, forms)


def phone(rng: Rng) -> str:
    """A telephone number."""
    a, b, c = digits(rng, 3), digits(rng, 3), digits(rng, 4)
    forms = (
        f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"+{int(rng.integers(1, 99))} {a} {b} {c}", f"0{a} {b}{c}", f"{a}.{b}.{c}",
        f"0{a[:1]}-{b}{c}", f"+{int(rng.integers(1, 99))}-{a[:2]}-{b} {c}", f"0{a}/{b}{c}",
        f"0{a[:1]}-{c} {b}{a[:1]}",
    )  # fmt: skip
    return pick(rng, ["", "", "Tel: ", "Tel : ", "TEL ", "Tel. ", "Fax: ", "Phone: ", "Ph: ", "T: "]) + pick(rng, forms)


def quantity(rng: Rng) -> str:
    """A count or a measure with its unit."""
    n, unit = int(rng.integers(1, 1000)), pick(rng, _UNITS)
    dec = f"{n % 100}.{digits(rng, int(rng.integers(1, 4)))}"
    forms = (
        f"{n}{unit}", f"{n} {unit}", f"{dec} {unit}", f"{dec}{unit}", f"{n % 20} x {n}{unit}", f"{n % 30}x",
        f"x{n % 30}", f"{n % 30} pcs", f"{n}×{int(rng.integers(1, 400))} mm", f"± {dec}", f"~{dec}",
        f"{dec} {unit} @ {amount(rng)}", f"{n}°",
    )  # fmt: skip
    return pick(rng, forms)


def percentage(rng: Rng) -> str:
    """A percentage, alone or in its usual company."""
    n = int(rng.integers(0, 101))
    forms = (
        f"{n}%", f"{n}.{digits(rng, 1)}%", f"{n}.00 %", f"{n} %", f"({n}%)", f"-{n}%", f"@ {n}%", f"GST {n}%",
        f"SR @ {n}%", f"VAT {n},5%", f"{n}% OFF",
    )  # fmt: skip
    return pick(rng, forms)


def section(rng: Rng) -> str:
    """A section, page, figure or footnote number."""
    a, b, c = (int(value) for value in rng.integers(1, 30, 3))
    forms = (
        f"{a}.", f"{a}.{b}", f"{a}.{b}.{c}", f"§ {a}", f"§{a}.{b}", f"({a})", f"[{a}]", f"{a})", f"Fig. {a}",
        f"Page {a} of {a + b}", f"- {a} -", f"{pick(rng, ['I', 'II', 'III', 'IV', 'V', 'VI', 'IX', 'XII', 'XIV'])}.",
        f"({pick(rng, 'abcdefiv')})", f"p. {a}", f"pp. {a}–{a + b}", f"*{a}", f"No. {a}",
    )  # fmt: skip
    return pick(rng, forms)


def characters(rng: Rng) -> str:
    """Any characters of the widest charset, some with spaces between: every sign must be seen sometimes."""
    known = NAMED["ascii"][1:] if rng.random() < 0.5 else NAMED["latin"][1:]
    text = "".join(pick(rng, known) for _ in range(int(rng.integers(1, 14))))
    return text if rng.random() < 0.7 else " ".join(text[i : i + 3] for i in range(0, len(text), 3))


def mark(rng: Rng) -> str:
    """A lone sign, as tables and receipts have them."""
    return pick(
        rng,
        [":", "%", "-", "*", "***", "x", "@", "#", "$", "€", "£", "=", "&", "/", "•", "©", "™", "+", "~", "^", "..."],
    )


def title(rng: Rng, word: Word) -> str:
    """A heading of one to six words."""
    text = " ".join(word() for _ in range(int(rng.integers(1, 7))))
    return pick(rng, [text.title(), text.upper(), text[:1].upper() + text[1:]])


def label(rng: Rng, word: Word) -> str:
    """What stands before a value: often a common label, often with a colon."""
    text = (
        pick(rng, LABELS)
        if rng.random() < 0.75
        else " ".join(word() for _ in range(int(rng.integers(1, 4)))).capitalize()
    )
    return text + pick(rng, ["", "", ":", ":", " :", ".", "*", "#", "#:", " (%)", " ($)", " :-"])


def labelled(rng: Rng) -> str:
    """A label and its value, close together."""
    value = pick(rng, (price, date, time, code, number, phone, quantity, percentage, digits))(rng)
    return f"{pick(rng, LABELS)}{pick(rng, _BETWEEN)}{value}"


def item(rng: Rng, word: Word) -> str:
    """A line of goods: words with sizes, codes and shortenings."""
    words = [word() for _ in range(int(rng.integers(1, 5)))]
    if rng.random() < 0.35:
        words[-1] = words[-1][: int(rng.integers(2, 6))] + pick(rng, ["", ".", "/", "-"])
    if rng.random() < 0.35:
        words.append(quantity(rng))
    if rng.random() < 0.2:
        words.insert(0, digits(rng, int(rng.integers(1, 8))))
    text = pick(rng, [" ", " ", " ", "-", "/"]).join(words) if rng.random() < 0.1 else " ".join(words)
    return text.upper() if rng.random() < 0.6 else text.title()


def company(rng: Rng, word: Word) -> str:
    """A firm's name."""
    names = [word().capitalize() for _ in range(int(rng.integers(1, 4)))]
    joined = pick(rng, [" ", " ", " ", " & ", "-"]).join(names)
    text = joined if rng.random() < 0.3 else f"{joined} {pick(rng, _LEGAL)}"
    return text.upper() if rng.random() < 0.4 else text


def person(rng: Rng, word: Word) -> str:
    """A person's name, often with initials or a title."""
    first, last = word().capitalize(), word().capitalize()
    initial = pick(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    forms = (
        f"{first} {last}", f"{first} {initial}. {last}", f"{initial}. {last}", f"{last}, {first}", f"Mr. {last}",
        f"Dr. {first} {last}", f"Mrs {last}", f"{last}, {initial}.", f"{initial}.{first[:1]}. {last}",
        f"{first} {last}-{word().capitalize()}", f"{first} O'{last}", f"{first.upper()} {last.upper()}",
    )  # fmt: skip
    return pick(rng, forms)


def street(rng: Rng, word: Word) -> str:
    """A street address."""
    name, n = " ".join(word().capitalize() for _ in range(int(rng.integers(1, 3)))), int(rng.integers(1, 400))
    road = pick(rng, STREETS)
    forms = (
        f"{n} {name} {road}", f"No. {n}, {name} {road}", f"{name} {road} {n}",
        f"NO.{n}, {road} {name} {n % 20}/{n % 9},", f"{name}str. {n}", f"Lot {n}, {name} {road},", f"P.O. Box {n}",
        f"Unit {n % 30}-{n % 7}, {name}", f"{n}, {road} {name}", f"{n}/{n % 5} {name} {road}", f"Apt #{n}",
    )  # fmt: skip
    text = pick(rng, forms)
    return text.upper() if rng.random() < 0.3 else text


def town(rng: Rng, word: Word) -> str:
    """A town with its postcode."""
    name, post = word().capitalize(), digits(rng, 5)
    a = pick(rng, "ABCDEFGHLMNPRSTW")
    forms = (
        f"{post} {name}", f"{name} {post}", f"{name}, {a}{pick(rng, 'ACDLNYZ')} {post}",
        f"{post} {name}, {word().capitalize()}.", f"{name} {a}{post[:1]} {post[1]}{a}{a}", f"{a}-{post} {name}",
        f"{post[:3]} {post[3:]} {name}", f"{name}, {word().capitalize()}",
    )  # fmt: skip
    text = pick(rng, forms)
    return text.upper() if rng.random() < 0.3 else text


def _ascii(text: str) -> str:
    return "".join(c for c in text.lower() if c.isascii() and c.isalnum()) or "info"


def email(rng: Rng, word: Word) -> str:
    """An e-mail address."""
    user = pick(rng, [".", "_", "-", ""]).join(_ascii(word()) for _ in range(int(rng.integers(1, 3)))) + pick(
        rng, ["", "", "", digits(rng, 2)]
    )
    text = f"{user}@{_ascii(word())}.{pick(rng, _TOPS)}"
    return pick(rng, ["", "", "Email: ", "E-mail: ", "mailto:"]) + (text.upper() if rng.random() < 0.1 else text)


def url(rng: Rng, word: Word) -> str:
    """A web address."""
    text = f"{_ascii(word())}{pick(rng, ['', '-'])}{_ascii(word())}.{pick(rng, _TOPS)}"
    start = pick(rng, ["www.", "www.", "https://", "http://", "http://www.", ""])
    end = pick(
        rng,
        [
            "",
            "",
            "",
            "/",
            f"/{_ascii(word())}",
            f"/{_ascii(word())}?id={digits(rng, 3)}",
            f"/~{_ascii(word())}/{_ascii(word())}.html",
            f"/#{_ascii(word())}",
            f"/a_b%20{digits(rng, 2)}",
        ],
    )
    return start + text + end


def leader(rng: Rng, word: Word) -> str:
    """An entry of a table of contents: words, dots, a number."""
    left = " ".join(word() for _ in range(int(rng.integers(1, 4)))).capitalize()
    dots = pick(rng, ["....", "......", " . . . . ", "..........", " ........ ", "_____", " - - - "])
    return f"{left}{dots}{int(rng.integers(1, 500))}"


def numbered(rng: Rng, word: Word) -> str:
    """A list entry."""
    start = pick(rng, ["•", "-", "*", "–", "·", "+", ">", "»", section(rng), section(rng), "[ ]", "[x]", "o"])
    return f"{start} " + " ".join(word() for _ in range(int(rng.integers(1, 6))))


def wrap(rng: Rng, text: str) -> str:
    """``text`` in quotes or brackets."""
    pair = pick(rng, _PAIRS)
    return pair[0] + text + pair[1]


def punctuate(rng: Rng, words: list[str]) -> list[str]:
    """The words as a sentence: a capital, commas, now and then other marks, an end."""
    out = []
    for word in words:
        chance = rng.random()
        if chance < 0.09:
            word += ","
        elif chance < 0.12:
            word += pick(rng, [";", ":", "...", ".", "!", "?"])
        elif chance < 0.14:
            word = wrap(rng, word)
        elif chance < 0.16:
            word += " " + pick(rng, _DASHES)
        elif chance < 0.175:
            word = pick(rng, (date, number, price, percentage, time, code))(rng)
        elif chance < 0.19:
            word += pick(rng, ["'s", "’s", "'t", "n't", "-like", "/or", "*", "†", "²"])
        elif chance < 0.23:
            word = word.capitalize()
        elif chance < 0.24:
            word = word.upper()
        out.append(word)
    if out:
        out[0] = out[0][:1].upper() + out[0][1:]
        out[-1] += pick(rng, [".", ".", ".", ".", "", "!", "?", ":", '."', ".”"])
    return out


def recase(rng: Rng, text: str) -> str:
    """Mostly as it is, sometimes in capitals, in title case or in small letters; the length may not grow."""
    chance = rng.random()
    changed = (
        text.upper() if chance < 0.16 else text.title() if chance < 0.2 else text.lower() if chance < 0.24 else text
    )
    return changed if len(changed) == len(text) else text
